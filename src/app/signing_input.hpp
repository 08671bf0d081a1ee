#pragma once
#include <expected>
#include <optional>
#include <string>

#include "stages/access/signing_key.hpp"

namespace vesper {

/// The key of a file's text: a JWK, a JWK set or a PEM private key; `kid` picks or names it.
[[nodiscard]] std::expected<access::SigningKey, access::SigningFault> read_signing_key(
    const std::string& text, const std::optional<std::string>& kid);

}  // namespace vesper
