// The control document: which misbehaviour, how often, how slow.
#include <algorithm>
#include <charconv>
#include <functional>
#include <string>

#include "base/arena.hpp"
#include "base/json.hpp"
#include "drill/standin/platform.hpp"

namespace vesper::standin {
namespace {

using Mode = Behaviour::Mode;

constexpr std::pair<std::string_view, Mode> modes[] = {
    {"ok", Mode::ok},
    {"status", Mode::status},
    {"hang", Mode::hang},
    {"hang_after", Mode::hang_after},
    {"cut_before", Mode::cut_before},
    {"cut_after", Mode::cut_after},
    {"cut_middle", Mode::cut_middle},
    {"html", Mode::html},
    {"redirect", Mode::redirect},
    {"garbage", Mode::garbage},
    {"huge", Mode::huge},
    {"lie", Mode::lie},
    {"twice", Mode::twice},
};

template <class T>
bool take_number(const JsonValue& value, T& out) {
  const auto* end = value.text.data() + value.text.size();
  return value.is(JsonKind::number) && std::from_chars(value.text.data(), end, out).ptr == end;
}

bool take_text(const JsonValue& value, std::string& out) {
  out = value.text;
  return value.is(JsonKind::string);
}

bool take_mode(const JsonValue& value, Mode& out) {
  const auto* at = std::ranges::find(modes, value.text, [](const auto& m) { return m.first; });
  if (!value.is(JsonKind::string) || at == std::end(modes)) return false;
  out = at->second;
  return true;
}

bool take_flag(const JsonValue& value, bool& out) {
  out = value.boolean;
  return value.is(JsonKind::boolean);
}

bool take_status(const JsonValue& value, int& out) {
  return take_number(value, out) && out >= 200 && out <= 599;
}

bool take_seed(const JsonValue& value, std::optional<std::uint64_t>& out) {
  return take_number(value, out.emplace());
}

}  // namespace

std::string_view name_of(Mode mode) {
  return modes[static_cast<std::size_t>(mode)].first;
}

std::expected<Behaviour, std::string> read_control(std::string_view body, const Behaviour& before,
                                                   std::optional<std::uint64_t>& reseed) {
  Arena arena;
  const auto wanted = parse_json(body, arena);
  if (!wanted || !(*wanted)->is(JsonKind::object))
    return std::unexpected("control is a JSON object");
  Behaviour next = before;
  for (const JsonValue& member : **wanted) {
    bool taken = false;
    if (member.name == "mode")
      taken = take_mode(member, next.mode);
    else if (member.name == "status")
      taken = take_status(member, next.status);
    else if (member.name == "probability")
      taken = take_number(member, next.probability);
    else if (member.name == "next")
      taken = take_number(member, next.next);
    else if (member.name == "delay_ms")
      taken = take_number(member, next.delay_ms);
    else if (member.name == "retry_after")
      taken = take_text(member, next.retry_after);
    else if (member.name == "location")
      taken = take_text(member, next.location);
    else if (member.name == "huge_bytes")
      taken = take_number(member, next.huge_bytes);
    else if (member.name == "receipt")
      taken = take_flag(member, next.receipt);
    else if (member.name == "seed")
      taken = take_seed(member, reseed);
    if (!taken)
      return std::unexpected("no such member, or not its kind: " + std::string{member.name});
  }
  return next;
}

}  // namespace vesper::standin
