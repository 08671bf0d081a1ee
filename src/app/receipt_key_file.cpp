#include "app/receipt_key_file.hpp"

#include <fmt/format.h>

#include <array>

#include "stages/journal/receipt_key.hpp"

namespace vesper {
namespace {

constexpr std::size_t key_bytes_max = 16 * 1024;

using Signer = std::expected<std::shared_ptr<const LinkSigner>, std::string>;

Signer read_signer(const std::string& path, FileStore& files) {
  const auto pem = files.read(path, key_bytes_max, Secrecy::owner_only);
  if (!pem) return std::unexpected(fmt::format("receipts.key: {}: {}", path, text_of(pem.error())));
  auto signer = ReceiptSigner::from_pem(*pem);
  if (!signer) return std::unexpected(fmt::format("receipts.key: {}: {}", path, signer.error()));
  return std::shared_ptr<const LinkSigner>{std::move(*signer)};
}

}  // namespace

std::string receipt_key_path(const Config& config) {
  return config.receipts.key.empty() ? config.journal.sqlite_file.string() + ".receipt-key.pem"
                                     : config.receipts.key.string();
}

ReceiptSigning receipt_signing(const Config& config, FileStore& files, Entropy& entropy) {
  return [path = receipt_key_path(config), algorithm = config.receipts.algorithm, &files,
          &entropy](bool first) -> Signer {
    const auto there = files.stamp(path);
    if (there || there.error() != FileFault::not_found) return read_signer(path, files);
    if (!first)
      return std::unexpected(
          fmt::format("receipts.key: {}: there is no such file, and this journal's receipts are "
                      "signed. Put the key back, or make a new one: vesper receipt-key new {}",
                      path, path));
    if (auto made = make_receipt_key_file(path, algorithm, files, entropy); !made)
      return std::unexpected("receipts.key: " + made.error());
    return read_signer(path, files);
  };
}

std::expected<void, std::string> make_receipt_key_file(const std::string& path,
                                                       ReceiptAlgorithmConfig algorithm,
                                                       FileStore& files, Entropy& entropy) {
  if (files.stamp(path))
    return std::unexpected(fmt::format("{}: the file exists and is not replaced", path));
  std::array<std::uint8_t, receipt_key_entropy_bytes> seed{};
  entropy.fill(seed);
  const std::string pem =
      make_receipt_key(algorithm == ReceiptAlgorithmConfig::es256 ? ReceiptAlgorithm::es256
                                                                  : ReceiptAlgorithm::eddsa,
                       seed);
  if (auto kept = files.replace(path, pem); !kept)
    return std::unexpected(fmt::format("{}: {}", path, text_of(kept.error())));
  return {};
}

}  // namespace vesper
