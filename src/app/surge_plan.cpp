#include "app/surge_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "app/input_file.hpp"
#include "app/signing_input.hpp"
#include "app/url.hpp"
#include "base/arena.hpp"
#include "base/json.hpp"
#include "io/clock/system_clock.hpp"
#include "io/entropy/system_entropy.hpp"
#include "stages/access/demo_keys.hpp"
#include "stages/access/token_tool.hpp"

namespace vesper {
namespace {

using surge::Plan;
using Fault = std::unexpected<std::string>;

constexpr std::string_view demonstration_diary =
    R"({"form":"evening-diary","formVersion":"3","authored":"2026-11-20T20:14:05+08:00",)"
    R"("language":"en","device":{"id":"d-77","app":"2.4.1","utcOffsetMinutes":480},)"
    R"("answers":{"pain-nrs":4,"fatigue":"moderate","slept-hours":6.5,"took-medication":true,)"
    R"("note":"A quiet evening."}})";

struct TrialRow {
  std::string id;
  double weight = 1;
  std::string diary{}, curve{}, push{};
  std::int64_t patients = 0;
};

std::expected<void, std::string> set_target(Plan& plan, const Invocation& invocation) {
  const std::string text = *invocation.text("intake");
  const auto url = parse_url(text);
  if (!url || url->tls) return Fault("--intake: must be http://HOST:PORT");
  if (!url->loopback() && !invocation.flag("allow-remote"))
    return Fault(
        fmt::format("--intake: {} is not on loopback; --allow-remote loads it all the "
                    "same, if it is yours to load",
                    url->host));
  if (!url->literal() && url->host != "localhost")
    return Fault(fmt::format("--intake: {}: state the address, not a name", url->host));
  plan.address = url->host == "localhost" ? "127.0.0.1" : url->host;
  plan.port = url->port;
  plan.authority = url->authority();
  if (url->target != "/") plan.path = url->target;
  return {};
}

// Tokens outlive the longest evening.
constexpr std::chrono::seconds token_lifetime = 48h;

std::expected<surge::TokenSource, std::string> token_source(const Invocation& invocation) {
  const auto text = read_input(*invocation.text("key"));
  if (!text) return Fault(text.error());
  auto key = read_signing_key(*text, invocation.text("kid"));
  if (!key) return Fault(fmt::format("--key: {}", access::text_of(key.error())));
  access::MintRequest request;
  request.issuer = invocation.text("issuer").value_or(access::demonstration_rules().issuer);
  request.audience = *invocation.text("audience");
  request.scope = "patient";
  request.issued_at = SystemClock{}.wall();
  request.lifetime = token_lifetime;
  if (const auto probe = access::mint(request, *key); !probe)
    return Fault(std::string(access::text_of(probe.error())));
  const auto shared = std::make_shared<const access::SigningKey>(*std::move(key));
  return [shared, request](const std::string& trial, const std::string& subject) mutable {
    request.trials = {trial};
    request.subject = subject;
    return access::mint(request, *shared).value_or("");
  };
}

std::expected<std::vector<TrialRow>, std::string> rows_of_options(const Invocation& invocation) {
  std::vector<TrialRow> rows;
  const std::string given = *invocation.text("trial");
  std::string_view left = given;
  while (!left.empty()) {
    const std::string_view part = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), part.size() + 1));
    const std::size_t star = part.find('*');
    TrialRow row{.id = std::string(part.substr(0, star))};
    if (star != std::string_view::npos) {
      const std::string_view weight = part.substr(star + 1);
      const auto [end, fault] =
          std::from_chars(weight.data(), weight.data() + weight.size(), row.weight);
      if (fault != std::errc{} || end != weight.data() + weight.size() || !(row.weight > 0))
        return Fault(fmt::format("--trial: `{}`: a weight is a number above 0", part));
    }
    if (row.id.empty()) return Fault("--trial: an id is empty");
    row.diary = invocation.text("diary").value_or("");
    rows.push_back(std::move(row));
  }
  return rows;
}

// {"curve":..,"push":..,"trials":[{"id","weight","diary","curve","push","patients"}]}
std::expected<std::vector<TrialRow>, std::string> rows_of_file(const std::string& file,
                                                               std::string& curve,
                                                               std::string& push) {
  const auto text = read_input(file);
  if (!text) return Fault(text.error());
  Arena arena;
  const auto document = parse_json(*text, arena);
  if (!document)
    return Fault(
        fmt::format("{}: at byte {}: {}", file, document.error().offset, document.error().reason));
  const auto string_of = [](const JsonValue& object, std::string_view name) {
    const JsonValue* member = object.find(name);
    return member != nullptr && member->is(JsonKind::string) ? std::string(member->text) : "";
  };
  const auto number_of = [](const JsonValue& object, std::string_view name, double standard) {
    const JsonValue* member = object.find(name);
    if (member == nullptr || !member->is(JsonKind::number)) return standard;
    double value = standard;
    std::from_chars(member->text.data(), member->text.data() + member->text.size(), value);
    return value;
  };
  if (const std::string own = string_of(**document, "curve"); !own.empty()) curve = own;
  if (const std::string own = string_of(**document, "push"); !own.empty()) push = own;
  const JsonValue* trials = (*document)->find("trials");
  if (trials == nullptr || !trials->is(JsonKind::array) || trials->size == 0)
    return Fault(fmt::format("{}: has no `trials`", file));
  std::vector<TrialRow> rows;
  for (const JsonValue& each : *trials) {
    TrialRow row{.id = string_of(each, "id"),
                 .weight = number_of(each, "weight", 1),
                 .diary = string_of(each, "diary"),
                 .curve = string_of(each, "curve"),
                 .push = string_of(each, "push"),
                 .patients = static_cast<std::int64_t>(number_of(each, "patients", 0))};
    if (row.id.empty() || !(row.weight > 0) || row.patients < 0)
      return Fault(fmt::format("{}: a trial needs `id`, and numbers above 0", file));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::expected<surge::ArrivalCurve, std::string> curve_of(std::string_view curve,
                                                         std::string_view push) {
  auto segments = surge::parse_segments(curve);
  if (!segments) return Fault("curve: " + segments.error());
  auto pushes = surge::parse_pushes(push);
  if (!pushes) return Fault("push: " + pushes.error());
  return surge::ArrivalCurve{*std::move(segments), *std::move(pushes)};
}

std::expected<void, std::string> set_trials(Plan& plan, const Invocation& invocation) {
  std::string curve = invocation.text("curve").value_or(
      fmt::format("{}:{}", invocation.number("rate"), invocation.number("seconds")));
  std::string push = invocation.text("push").value_or("");
  const auto file = invocation.text("plan");
  const auto rows = file ? rows_of_file(*file, curve, push) : rows_of_options(invocation);
  if (!rows) return Fault(rows.error());
  if (rows->empty() || rows->size() > surge::trials_max)
    return Fault(fmt::format("--trial: 1 to {} trials", surge::trials_max));
  double weights = 0;
  for (const TrialRow& row : *rows)
    if (row.curve.empty()) weights += row.weight;
  for (const TrialRow& row : *rows) {
    surge::TrialLoad trial;
    trial.id = row.id;
    const auto own = row.curve.empty() ? curve_of(curve, push) : curve_of(row.curve, row.push);
    if (!own) return Fault(own.error());
    trial.curve = row.curve.empty() ? own->scaled(row.weight / weights) : *own;
    std::string diary{demonstration_diary};
    if (!row.diary.empty()) {
      auto text = read_input(row.diary);
      if (!text) return Fault(text.error());
      diary = *std::move(text);
    }
    auto made = surge::make_diary_template(diary, row.id);
    if (!made) return Fault(fmt::format("{}: {}", row.diary, made.error()));
    trial.diary = *std::move(made);
    trial.patients = static_cast<std::uint32_t>(
        row.patients > 0 ? std::min<std::int64_t>(row.patients, surge::patients_max)
                         : invocation.number("patients"));
    plan.trials.push_back(std::move(trial));
  }
  return {};
}

}  // namespace

std::expected<Plan, std::string> surge_plan(const Invocation& invocation) {
  Plan plan;
  if (auto set = set_target(plan, invocation); !set) return Fault(set.error());
  auto tokens = token_source(invocation);
  if (!tokens) return Fault(tokens.error());
  plan.token = *std::move(tokens);
  if (auto set = set_trials(plan, invocation); !set) return Fault(set.error());
  const auto ms = [&](std::string_view name) {
    return Duration{std::chrono::milliseconds{invocation.number(name)}};
  };
  const auto count = [&](std::string_view name) {
    return static_cast<std::uint32_t>(invocation.number(name));
  };
  plan.mint_ahead = invocation.text("mint") == "ahead";
  plan.retry = {*surge::retry_habit_named(*invocation.text("retry")), count("tries-max")};
  plan.closed_loop = invocation.flag("closed");
  plan.connections = count("connections");
  plan.open_ahead = invocation.flag("open-ahead");
  plan.addresses = count("addresses");
  plan.try_timeout = ms("try-timeout-ms");
  plan.good_within = ms("good-within-ms");
  plan.late_beyond = ms("late-beyond-ms");
  plan.patience = std::chrono::seconds{invocation.number("patience-s")};
  plan.diaries_max = static_cast<std::uint64_t>(invocation.number("diaries"));
  plan.server_pid = static_cast<int>(invocation.number("pid"));
  plan.seed = static_cast<std::uint64_t>(invocation.number("seed"));
  if (plan.seed == 0) plan.seed = SystemEntropy{}.next();
  return plan;
}

}  // namespace vesper
