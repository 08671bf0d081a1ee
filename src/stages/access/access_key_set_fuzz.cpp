#include <cstddef>
#include <cstdint>

#include "base/ensure.hpp"
#include "stages/access/key_set.hpp"
#include "stages/access/signing_key.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vesper::access;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const BoundAlgorithm table[]{{"k", Algorithm::rs256}, {"e", Algorithm::es256}};
  if (const auto keys = parse_key_set(input, table)) {
    vesper::ensure(!keys->keys.empty());
    for (const VerifyKey& key : keys->keys) {
      vesper::ensure(keys->find(key.kid()) == &key || keys->only() == &key);
      vesper::ensure(!key.verify(input, input));
    }
  }
  (void)SigningKey::from_jwk(input).has_value();
  return 0;
}
