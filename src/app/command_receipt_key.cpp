#include "app/commands.hpp"
#include "app/receipt_key_file.hpp"
#include "io/entropy/system_entropy.hpp"
#include "io/files/file_system.hpp"

namespace vesper {

ExitStatus command_receipt_key_new(Invocation& invocation) {
  FileSystem files;
  SystemEntropy entropy;
  const auto algorithm = invocation.text("algorithm") == "ES256" ? ReceiptAlgorithmConfig::es256
                                                                 : ReceiptAlgorithmConfig::eddsa;
  const auto made = make_receipt_key_file(invocation.arguments[0], algorithm, files, entropy);
  if (made) return ExitStatus::done;
  invocation.err << "vesper receipt-key new: " << made.error() << "\n";
  return ExitStatus::usage;
}

}  // namespace vesper
