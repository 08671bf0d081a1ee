#include <filesystem>
#include <fstream>

#include "app/commands.hpp"
#include "app/reference.hpp"

namespace vesper {

ExitStatus command_reference(Invocation& invocation) {
  const std::filesystem::path folder = invocation.arguments[0];
  std::error_code error;
  std::filesystem::create_directories(folder / "commands", error);
  for (const auto& [path, text] : reference_pages()) {
    std::ofstream file{folder / path, std::ios::binary};
    file << text;
    if (!file.flush()) {
      invocation.err << "vesper reference: " << (folder / path).string() << ": cannot be written\n";
      return ExitStatus::usage;
    }
  }
  return ExitStatus::done;
}

}  // namespace vesper
