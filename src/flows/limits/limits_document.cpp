#include "flows/limits/limits_document.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json.hpp"

namespace vesper {
namespace {

using admission::Limits;
using admission::RateLimits;

constexpr double rate_max = 1e9;
constexpr double connections_most = 1e6, bytes_least = 1 << 20, bytes_most = 1ULL << 40;
constexpr std::size_t trials_max = 1000, id_bytes_max = 64;

/// Reads the members of objects; remembers the first fault alone.
class Reader {
 public:
  [[nodiscard]] const std::string& fault() const { return fault_; }
  void complain(const std::string& path, std::string_view what) {
    if (fault_.empty()) fault_ = fmt::format("{}: {}", path, what);
  }
  void number(const JsonValue& value, const std::string& path, double least, double most,
              double& out) {
    double read = 0;
    const char* end = value.text.data() + value.text.size();
    if (!value.is(JsonKind::number) ||
        std::from_chars(value.text.data(), end, read).ec != std::errc{} || read < least ||
        read > most)
      return complain(path, fmt::format("must be a number from {} to {}", least, most));
    out = read;
  }
  void rate(const JsonValue& value, const std::string& path, std::optional<double>& out) {
    if (value.is(JsonKind::null)) return out.reset();
    number(value, path, 0, rate_max, out.emplace());
  }
  void count(const JsonValue& value, const std::string& path, std::optional<std::uint32_t>& out) {
    if (value.is(JsonKind::null)) return out.reset();
    double read = 0;
    number(value, path, 0, rate_max, read);
    if (read != std::floor(read)) return complain(path, "must be a whole number");
    out = static_cast<std::uint32_t>(read);
  }
  void percent(const JsonValue& value, const std::string& path, std::uint32_t& out) {
    double read = out;
    number(value, path, 1, 100, read);
    out = static_cast<std::uint32_t>(read);
  }
  /// A whole number.
  template <class T>
  void whole(const JsonValue& value, const std::string& path, double least, double most, T& out) {
    double read = 0;
    number(value, path, least, most, read);
    if (read != std::floor(read)) return complain(path, "must be a whole number");
    if (fault_.empty()) out = static_cast<T>(read);
  }
  void milliseconds(const JsonValue& value, const std::string& path, Duration& out) {
    std::int64_t read = 0;
    whole(value, path, 1, 60'000, read);
    if (fault_.empty()) out = std::chrono::milliseconds{read};
  }
  void flag(const JsonValue& value, const std::string& path, bool& out) {
    if (!value.is(JsonKind::boolean)) return complain(path, "must be true or false");
    out = value.boolean;
  }
  bool object(const JsonValue& value, const std::string& path) {
    if (!value.is(JsonKind::object)) complain(path, "must be an object");
    return value.is(JsonKind::object);
  }

  void rates(const JsonValue& value, const std::string& path, RateLimits& out) {
    if (!object(value, path)) return;
    for (const JsonValue& member : value) {
      const std::string at = fmt::format("{}.{}", path, member.name);
      if (member.name == "patientPerMinute")
        rate(member, at, out.patient_per_minute);
      else if (member.name == "patientBurst")
        count(member, at, out.patient_burst);
      else if (member.name == "patientPerDay")
        count(member, at, out.patient_per_day);
      else if (member.name == "callerPerSecond")
        rate(member, at, out.caller_per_second);
      else if (member.name == "trialPerSecond")
        rate(member, at, out.trial_per_second);
      else if (member.name == "trialBurst")
        count(member, at, out.trial_burst);
      else
        complain(at, "there is no such limit");
    }
  }
  void trials(const JsonValue& value, Limits& out) {
    if (!object(value, "trials")) return;
    for (const JsonValue& member : value) {
      const std::string id{member.name};
      if (member.is(JsonKind::null)) {
        out.trials.erase(id);
        continue;
      }
      if (id.empty() || id.size() > id_bytes_max) complain("trials", "an id has 1 to 64 bytes");
      rates(member, "trials." + id, out.trials[id]);
    }
    if (out.trials.size() > trials_max) complain("trials", "at most 1000");
  }
  void weights(const JsonValue& value, Limits& out) {
    if (!object(value, "weights")) return;
    for (const JsonValue& member : value) {
      const std::string id{member.name};
      if (member.is(JsonKind::null))
        out.weights.erase(id);
      else
        number(member, "weights." + id, 0.001, 1000, out.weights[id]);
    }
    if (out.weights.size() > trials_max) complain("weights", "at most 1000");
  }
  void ceilings(const JsonValue& value, admission::Ceilings& out) {
    if (!object(value, "ceilings")) return;
    for (const JsonValue& member : value) {
      const std::string at = fmt::format("ceilings.{}", member.name);
      if (member.name == "submissionsPerSecond")
        number(member, at, 0, rate_max, out.submissions_per_second);
      else if (member.name == "readsPerSecond")
        number(member, at, 0, rate_max, out.reads_per_second);
      else if (member.name == "exportsPerSecond")
        number(member, at, 0, rate_max, out.exports_per_second);
      else
        complain(at, "there is no such ceiling");
    }
  }
  void addresses(const JsonValue& value, admission::AddressLimits& out) {
    if (!object(value, "addresses")) return;
    for (const JsonValue& member : value) {
      const std::string at = fmt::format("addresses.{}", member.name);
      if (member.name == "requestsPerSecond")
        number(member, at, 0, rate_max, out.requests_per_second);
      else if (member.name == "burst")
        whole(member, at, 0, rate_max, out.burst);
      else if (member.name == "connectionsMax")
        whole(member, at, 0, connections_most, out.connections_max);
      else
        complain(at, "there is no such limit");
    }
  }
  void connections(const JsonValue& value, admission::AddressLimits& out) {
    if (!object(value, "connections")) return;
    for (const JsonValue& member : value) {
      const std::string at = fmt::format("connections.{}", member.name);
      if (member.name == "requestsPerSecond")
        number(member, at, 0, rate_max, out.connection_requests_per_second);
      else if (member.name == "burst")
        whole(member, at, 0, rate_max, out.connection_burst);
      else
        complain(at, "there is no such limit");
    }
  }
  void door(const JsonValue& value, admission::DoorLimits& out) {
    if (!object(value, "door")) return;
    for (const JsonValue& member : value) {
      const std::string at = fmt::format("door.{}", member.name);
      if (member.name == "enabled")
        flag(member, at, out.enabled);
      else if (member.name == "waitMaxMs")
        milliseconds(member, at, out.wait_max);
      else if (member.name == "waitOverloadedMaxMs")
        milliseconds(member, at, out.wait_overloaded_max);
      else if (member.name == "journalWaitMaxMs")
        milliseconds(member, at, out.journal_wait_max);
      else if (member.name == "journalWaitOverloadedMaxMs")
        milliseconds(member, at, out.journal_wait_overloaded_max);
      else if (member.name == "refusalSharePercent")
        whole(member, at, 1, 90, out.refusal_share_percent);
      else if (member.name == "connectionsMax")
        whole(member, at, 1, connections_most, out.connections_max);
      else if (member.name == "bytesInFlightMax")
        whole(member, at, bytes_least, bytes_most, out.bytes_in_flight_max);
      else
        complain(at, "there is no such threshold");
    }
  }
  void member(const JsonValue& value, Limits& out) {
    const std::string at{value.name};
    if (at == "addresses")
      addresses(value, out.address);
    else if (at == "connections")
      connections(value, out.address);
    else if (at == "door")
      door(value, out.door);
    else if (at == "dryRun")
      flag(value, at, out.dry_run);
    else if (at == "standard")
      rates(value, at, out.standard);
    else if (at == "trials")
      trials(value, out);
    else if (at == "weights")
      weights(value, out);
    else if (at == "ceilings")
      ceilings(value, out.ceilings);
    else if (at == "coldChecksPercent")
      percent(value, at, out.cold_checks_percent);
    else if (at == "coldChecksCrowdedPercent")
      percent(value, at, out.cold_checks_crowded_percent);
    else if (at == "fairShares")
      flag(value, at, out.fair_shares);
    else if (at == "degradeAutomatically")
      flag(value, at, out.degrade_automatically);
    else
      complain(at, "there is no such member");
  }

 private:
  std::string fault_;
};

void write_rates(JsonText& json, const RateLimits& rates) {
  json.open('{');
  const auto put = [&](std::string_view name, const auto& value) {
    if (value) json.key(name).number(static_cast<double>(*value));
  };
  put("patientPerMinute", rates.patient_per_minute);
  put("patientBurst", rates.patient_burst);
  put("patientPerDay", rates.patient_per_day);
  put("callerPerSecond", rates.caller_per_second);
  put("trialPerSecond", rates.trial_per_second);
  put("trialBurst", rates.trial_burst);
  json.close('}');
}

void write_addresses(JsonText& json, const admission::AddressLimits& address) {
  json.key("addresses").open('{');
  json.key("requestsPerSecond").number(address.requests_per_second);
  json.key("burst").number(std::uint64_t{address.burst});
  json.key("connectionsMax").number(std::uint64_t{address.connections_max}).close('}');
  json.key("connections").open('{');
  json.key("requestsPerSecond").number(address.connection_requests_per_second);
  json.key("burst").number(std::uint64_t{address.connection_burst}).close('}');
}

void write_door(JsonText& json, const admission::DoorLimits& door) {
  const auto wait = [&](std::string_view name, Duration length) {
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
    json.key(name).number(static_cast<std::uint64_t>(whole));
  };
  json.key("door").open('{').key("enabled").flag(door.enabled);
  wait("waitMaxMs", door.wait_max);
  wait("waitOverloadedMaxMs", door.wait_overloaded_max);
  wait("journalWaitMaxMs", door.journal_wait_max);
  wait("journalWaitOverloadedMaxMs", door.journal_wait_overloaded_max);
  json.key("refusalSharePercent").number(std::uint64_t{door.refusal_share_percent});
  json.key("connectionsMax").number(door.connections_max);
  json.key("bytesInFlightMax").number(door.bytes_in_flight_max).close('}');
}

}  // namespace

void write_limits(JsonText& json, const Limits& limits, WriteDoor with_door) {
  json.open('{').key("dryRun").flag(limits.dry_run);
  json.key("standard");
  write_rates(json, limits.standard);
  json.key("trials").open('{');
  for (const auto& [id, rates] : limits.trials) write_rates(json.key(id), rates);
  json.close('}').key("weights").open('{');
  for (const auto& [id, weight] : limits.weights) json.key(id).number(weight);
  json.close('}').key("ceilings").open('{');
  json.key("submissionsPerSecond").number(limits.ceilings.submissions_per_second);
  json.key("readsPerSecond").number(limits.ceilings.reads_per_second);
  json.key("exportsPerSecond").number(limits.ceilings.exports_per_second).close('}');
  write_addresses(json, limits.address);
  if (with_door == WriteDoor::yes) write_door(json, limits.door);
  json.key("coldChecksPercent").number(std::uint64_t{limits.cold_checks_percent});
  json.key("coldChecksCrowdedPercent").number(std::uint64_t{limits.cold_checks_crowded_percent});
  json.key("fairShares").flag(limits.fair_shares);
  json.key("degradeAutomatically").flag(limits.degrade_automatically).close('}');
}

std::expected<Limits, std::string> patch_limits(Limits base, std::string_view text) {
  Arena arena;
  const auto document = parse_json(text, arena);
  if (!document || !(*document)->is(JsonKind::object))
    return std::unexpected("the body is a JSON object, as GET /limits shows under `limits`");
  Reader reader;
  for (const JsonValue& member : **document) reader.member(member, base);
  if (!reader.fault().empty()) return std::unexpected(reader.fault());
  return base;
}

}  // namespace vesper
