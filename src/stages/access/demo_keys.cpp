#include "stages/access/demo_keys.hpp"

#include "base/encoding.hpp"

namespace vesper::access {

IssuerRules demonstration_rules() {
  IssuerRules rules{.issuer = std::string{demonstration_issuer}, .audience = "vesper"};
  for (Scope scope : {Scope::patient, Scope::site, Scope::service, Scope::trial_admin, Scope::ops})
    rules.grantable.add(scope);
  return rules;
}

DemoKeys make_demo_keys(std::span<const std::uint8_t, demonstration_entropy_bytes> entropy) {
  std::string kid{demonstration_prefix};
  append_hex(kid, entropy.first<4>());
  const auto secret = entropy.subspan<4>();
  DemoKeys keys{R"({"keys":[{"kty":"oct","alg":"HS256","use":"sig","kid":")" + kid + R"(","k":")",
                demonstration_rules()};
  keys.key_set += encode_base64url({reinterpret_cast<const char*>(secret.data()), secret.size()});
  keys.key_set += "\"}]}\n";
  return keys;
}

}  // namespace vesper::access
