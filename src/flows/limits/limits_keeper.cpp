#include "flows/limits/limits_keeper.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/wall_time.hpp"
#include "flows/limits/limits_document.hpp"

namespace vesper {
namespace {

constexpr std::size_t kept_bytes_max = 1 << 20, reason_bytes_max = 1000;

std::string text_of(const admission::Limits& limits) {
  JsonText json;
  write_limits(json, limits);
  return json.take();
}

std::string kept_text(const admission::Limits& limits, const LimitsKeeper::Change& change,
                      WriteDoor with_door) {
  JsonText json;
  json.open('{').pair("by", change.by).pair("reason", change.reason);
  json.pair("at", to_string(change.at)).key("limits");
  write_limits(json, limits, with_door);
  json.close('}');
  return json.take() + "\n";
}

}  // namespace

LimitsKeeper::LimitsKeeper(admission::Limits configured, Parts parts)
    : parts_(std::move(parts)),
      configured_(std::move(configured)),
      current_(std::make_shared<const admission::Limits>(configured_)) {}

std::shared_ptr<const admission::Limits> LimitsKeeper::current() const {
  const std::lock_guard lock{mutex_};
  return current_;
}

// A dry run must not leave the server without a door: the configuration's stays.
LimitsKeeper::DoorInForce LimitsKeeper::door() const {
  const auto limits = current();
  if (!limits->dry_run || limits->door == configured_.door) return {limits->door, {}};
  return {configured_.door, limits->door};
}

void LimitsKeeper::watch_door(std::function<void(const DoorInForce&)> changed) {
  door_changed_ = std::move(changed);
  door_changed_(door());
}

void LimitsKeeper::put_in_force(admission::Limits limits) {
  auto next = std::make_shared<const admission::Limits>(std::move(limits));
  {
    const std::lock_guard lock{mutex_};
    current_ = std::move(next);
    generation_.fetch_add(1, std::memory_order_release);
  }
  if (door_changed_) door_changed_(door());
}

// What a file does not say, because it was kept before there was such a thing or because nobody
// has changed it, is the configuration's.
admission::Limits LimitsKeeper::base_of_kept() const {
  admission::Limits base;
  base.address = configured_.address;
  base.door = configured_.door;
  return base;
}

std::expected<void, std::string> LimitsKeeper::load() {
  const auto text = parts_.files.read(parts_.kept_path, kept_bytes_max, Secrecy::any);
  if (!text && text.error() == FileFault::not_found) return {};
  const auto fault = [&](std::string_view why) {
    return std::unexpected(parts_.kept_path + ": " + std::string{why} +
                           "; mend the file, or remove it for the limits of the configuration");
  };
  if (!text) return fault(vesper::text_of(text.error()));
  if (text->empty()) return {};  // reset
  Arena arena;
  const auto document = parse_json(*text, arena);
  if (!document) return fault(document.error().reason);
  const auto member = [&](std::string_view name) {
    const JsonValue* value = (*document)->find(name);
    return value == nullptr ? std::string_view{} : value->text;
  };
  auto limits = patch_limits(base_of_kept(), member("limits"));
  if (!limits) return fault(limits.error());
  const auto at = parse_date_time(member("at"));
  change_ =
      Change{std::string{member("by")}, std::string{member("reason")}, at ? at->utc : WallTime{}};
  put_in_force(std::move(*limits));
  parts_.log.write(LogLevel::warn, "limits.kept",
                   "limits that an operator set are in force, not those of the configuration");
  return {};
}

void LimitsKeeper::configure(admission::Limits configured) {
  configured_ = std::move(configured);
  if (!change_) put_in_force(configured_);
}

asio::awaitable<std::expected<void, LimitsKeeper::Refused>> LimitsKeeper::audit(
    std::string_view action, std::string target, const Change& change) {
  const auto done = co_await parts_.journal.record(
      {std::string{action}, change.by, std::move(target), change.reason, change.at});
  if (!done)
    co_return std::unexpected(Refused{false, "the journal did not take the audit; try again"});
  co_return std::expected<void, Refused>{};
}

asio::awaitable<std::expected<void, LimitsKeeper::Refused>> LimitsKeeper::set(std::string patch,
                                                                              std::string by,
                                                                              std::string reason) {
  auto limits = patch_limits(*current(), patch);
  if (!limits) co_return std::unexpected(Refused{true, limits.error()});
  if (reason.size() > reason_bytes_max)
    co_return std::unexpected(Refused{true, "a reason has at most 1000 bytes"});
  const Change change{std::move(by), std::move(reason), parts_.clock.wall()};
  auto audited = co_await audit("limits.set", "limits " + text_of(*limits), change);
  if (!audited) co_return audited;
  const auto with_door = limits->door == configured_.door ? WriteDoor::no : WriteDoor::yes;
  const std::string text = kept_text(*limits, change, with_door);
  if (const auto kept = parts_.files.replace(parts_.kept_path, text); !kept) {
    (void)co_await audit("limits.failed", "limits", change);
    co_return std::unexpected(
        Refused{false, parts_.kept_path + ": " + std::string{vesper::text_of(kept.error())}});
  }
  change_ = change;
  put_in_force(std::move(*limits));
  parts_.log.write(LogLevel::warn, "limits.set", "other limits are in force",
                   {{"user.name", std::string_view{change.by}}});
  co_return std::expected<void, Refused>{};
}

asio::awaitable<std::expected<void, LimitsKeeper::Refused>> LimitsKeeper::reset(
    std::string by, std::string reason) {
  const Change change{std::move(by), std::move(reason), parts_.clock.wall()};
  auto audited = co_await audit("limits.reset", "limits", change);
  if (!audited) co_return audited;
  // An empty file keeps nothing.
  if (change_)
    if (const auto gone = parts_.files.replace(parts_.kept_path, {}); !gone)
      co_return std::unexpected(
          Refused{false, parts_.kept_path + ": " + std::string{vesper::text_of(gone.error())}});
  change_.reset();
  put_in_force(configured_);
  parts_.log.write(LogLevel::warn, "limits.reset", "the limits of the configuration are in force");
  co_return std::expected<void, Refused>{};
}

}  // namespace vesper
