#pragma once
#include <expected>
#include <string>

#include "app/config.hpp"
#include "io/sqlite/journal_options.hpp"
#include "ports/entropy.hpp"
#include "ports/file_store.hpp"

namespace vesper {

/// Where the key that signs receipts is.
[[nodiscard]] std::string receipt_key_path(const Config& config);

/// Reads the key when the journal is opened, and makes it for a journal that never had one.
///   Errors: others can read it; it is missing while the journal has had one; it is no key.
///   `files` and `entropy` outlive the call of what it returns.
[[nodiscard]] ReceiptSigning receipt_signing(const Config& config, FileStore& files,
                                             Entropy& entropy);

/// Makes a new key file, its owner's alone.
///   Errors: one sentence; a file that exists is not replaced.
[[nodiscard]] std::expected<void, std::string> make_receipt_key_file(
    const std::string& path, ReceiptAlgorithmConfig algorithm, FileStore& files, Entropy& entropy);

}  // namespace vesper
