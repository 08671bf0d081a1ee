#include <algorithm>
#include <charconv>

#include "base/json.hpp"
#include "flows/deliver/outbox_api.hpp"

namespace vesper {
namespace {

constexpr std::size_t reason_max = 1000;

using Verb = OutboxRequest::Verb;

std::unexpected<OutboxRefusal> refusal(std::uint16_t status, std::string why,
                                       std::string_view allow = {}) {
  return std::unexpected(OutboxRefusal{status, std::move(why), allow});
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::expected<std::string, OutboxRefusal> reason_of(std::string_view body) {
  if (body.empty()) return std::string{};
  Arena arena;
  const auto document = parse_json(body, arena);
  if (!document || !(*document)->is(JsonKind::object))
    return refusal(400, "the body is a JSON object: {\"reason\":\"...\"}");
  const auto* reason = (*document)->find("reason");
  if (!reason) return std::string{};
  if (!reason->is(JsonKind::string) || reason->text.size() > reason_max)
    return refusal(400, "reason is a text of at most 1000 bytes");
  return std::string{reason->text};
}

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, number).ptr == end;
}

std::expected<void, OutboxRefusal> read_query(std::string_view query, OutboxRequest& request) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto name = pair.substr(0, pair.find('='));
    const auto value = pair.substr(std::min(name.size() + 1, pair.size()));
    std::uint64_t number = 0;
    if (name == "format" && (value == "text" || value == "json")) {
      request.as_text = value == "text";
    } else if (name == "after" && read_number(value, number)) {
      request.after = number;
    } else if (name == "limit" && read_number(value, number) && number >= 1 && number <= 1000) {
      request.limit = number;
    } else {
      return refusal(400, "the query may have after=POSITION, limit=1..1000, format=json|text");
    }
  }
  return {};
}

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    segments.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(segments.back().size());
  }
  return segments;
}

std::expected<Verb, OutboxRefusal> verb_of(const std::vector<std::string_view>& segments) {
  if (segments.empty() || segments.size() > 4 || segments[0] != "outbox")
    return refusal(404, "no such route");
  if (segments.size() == 1) return Verb::list;
  if (segments.size() == 2) return Verb::show;
  if (segments.size() == 3 && segments[2] == "pause") return Verb::pause;
  if (segments.size() == 3 && segments[2] == "resume") return Verb::resume;
  if (segments.size() == 4 && segments[2] == "redrive") return Verb::redrive;
  if (segments.size() == 4 && segments[2] == "skip") return Verb::skip;
  return refusal(404, "no such route: redrive and skip take a delivery id, pause and resume none");
}

}  // namespace

std::expected<OutboxRequest, OutboxRefusal> parse_outbox_request(Method method,
                                                                 std::string_view path,
                                                                 std::string_view query,
                                                                 std::string_view body) {
  const auto segments = segments_of(path);
  const auto verb = verb_of(segments);
  if (!verb) return std::unexpected(verb.error());
  OutboxRequest request{.verb = *verb};
  const bool reads = request.verb == Verb::list || request.verb == Verb::show;
  const bool right =
      reads ? method == Method::get || method == Method::head : method == Method::post;
  if (!right) return refusal(405, "not with this method", reads ? "GET, HEAD" : "POST");
  if (segments.size() > 1) {
    if (!is_name(segments[1])) return refusal(404, "no such destination");
    request.destination = segments[1];
  }
  if (segments.size() == 4) {
    const auto id = parse_uuid(segments[3]);
    if (!id) return refusal(400, "the delivery id is a UUID, as `vesper outbox show` prints it");
    request.delivery_id = *id;
  }
  if (const auto fine = read_query(query, request); !fine) return std::unexpected(fine.error());
  if (reads) return request;
  auto reason = reason_of(body);
  if (!reason) return std::unexpected(reason.error());
  request.reason = std::move(*reason);
  if (request.verb == Verb::skip && request.reason.empty())
    return refusal(400, "to skip a diary is to give it up: say why, as {\"reason\":\"...\"}");
  return request;
}

}  // namespace vesper
