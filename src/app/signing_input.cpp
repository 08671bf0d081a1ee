#include "app/signing_input.hpp"

namespace vesper {

std::expected<access::SigningKey, access::SigningFault> read_signing_key(
    const std::string& text, const std::optional<std::string>& kid) {
  if (text.find("-----BEGIN ") != std::string::npos)
    return access::SigningKey::from_pem(text, kid.value_or(""));
  if (!kid) return access::SigningKey::from_jwk(text);
  return access::SigningKey::from_jwk(text, std::string_view{*kid});
}

}  // namespace vesper
