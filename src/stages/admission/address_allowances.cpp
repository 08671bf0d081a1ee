#include "stages/admission/address_allowances.hpp"

#include <string_view>

#include "stages/admission/client_address.hpp"

namespace vesper::admission {
namespace {

constexpr UsedAllowance no_connection = 0;

}  // namespace

std::uint64_t AddressAllowances::name_of(const PeerAddress& address) const {
  const PeerAddress group = group_of(address);
  SipHash hash{seed_};
  hash.add(std::string_view{reinterpret_cast<const char*>(group.bytes.data()), group.bytes.size()});
  return hash.finish();
}

Duration AddressAllowances::take(const PeerAddress& address, const BucketRule& rule, Instant now) {
  const std::uint64_t name = name_of(address);
  const Duration wait = take_from(buckets_, name, rule, now);
  return wait == Duration::zero() ? wait : wait + book_slot(buckets_, name, rule, now);
}

bool AddressAllowances::open(const PeerAddress& address, std::uint32_t most) {
  return connections_
      .update(name_of(address), no_connection,
              [most](UsedAllowance open) {
                return open < most ? std::optional{open + 1} : std::nullopt;
              })
      .changed;
}

void AddressAllowances::close(const PeerAddress& address) {
  connections_.change(name_of(address), [](UsedAllowance open) {
    return open > 0 ? std::optional{open - 1} : std::nullopt;
  });
}

}  // namespace vesper::admission
