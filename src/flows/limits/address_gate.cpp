#include "flows/limits/address_gate.hpp"

#include <limits>

#include "flows/replies.hpp"

namespace vesper {
namespace {

using admission::OverRate;

Counter counter_of(OverRate why, bool dry) {
  if (why == OverRate::connection)
    return dry ? Counter::would_refuse_connection : Counter::over_connection_rate;
  return dry ? Counter::would_refuse_address : Counter::over_address_rate;
}

/// Zero when one was taken of a bucket that nobody else uses.
Duration take_own(std::uint64_t& used, const admission::BucketRule& rule, Instant now) {
  const std::uint64_t present = admission::ticks_of(now);
  if (const auto next = admission::take_one(used, present, rule)) {
    used = *next;
    return Duration::zero();
  }
  return std::max<Duration>(1ns, admission::wait_for_one(used, present, rule));
}

}  // namespace

bool AddressGate::over(Exchange& exchange, OverRate why, Duration wait) {
  const bool dry = limits_.current().dry_run;
  parts_.telemetry.count(counter_of(why, dry));
  if (dry) return false;
  refuse_for_rate(exchange.reply, why, wait, parts_.random);
  return true;
}

bool AddressGate::refuse(Exchange& exchange) {
  const admission::AddressLimits& limits = limits_.current().address;
  const bool of_connection = limits.connection_requests_per_second > 0;
  const bool of_address = limits.requests_per_second > 0;
  if (!of_connection && !of_address) return false;
  const Instant now = exchange.started;
  if (of_connection && exchange.connection_used != nullptr &&
      !parts_.proxies.trusts(exchange.peer)) {
    const auto rule =
        admission::bucket_rule(limits.connection_requests_per_second, 1, limits.connection_burst);
    const Duration wait = take_own(*exchange.connection_used, rule, now);
    if (wait > Duration::zero() && over(exchange, OverRate::connection, wait)) return true;
  }
  if (!of_address) return false;
  const auto client = admission::client_of(exchange.peer, exchange.head.headers, parts_.proxies);
  if (!client) {
    parts_.telemetry.count(Counter::clients_unnamed);
    return false;
  }
  const auto rule = admission::bucket_rule(limits.requests_per_second, 1, limits.burst);
  const Duration wait = parts_.fair_use.addresses().take(*client, rule, now);
  return wait > Duration::zero() && over(exchange, OverRate::address, wait);
}

// Counted whether or not there is a limit: one that is put in force later finds them.
bool AddressGate::opened(const PeerAddress& peer) {
  if (parts_.proxies.trusts(peer)) return true;
  constexpr std::uint32_t no_limit = std::numeric_limits<std::uint32_t>::max();
  const admission::Limits& limits = limits_.current();
  const std::uint32_t most = limits.address.connections_max;
  admission::AddressAllowances& addresses = parts_.fair_use.addresses();
  if (addresses.open(peer, most == 0 ? no_limit : most)) return true;
  if (!limits.dry_run) {
    parts_.telemetry.count(Counter::over_address_connections);
    return false;
  }
  parts_.telemetry.count(Counter::would_refuse_address_connections);
  return addresses.open(peer, no_limit);
}

void AddressGate::closed(const PeerAddress& peer) {
  if (!parts_.proxies.trusts(peer)) parts_.fair_use.addresses().close(peer);
}

}  // namespace vesper
