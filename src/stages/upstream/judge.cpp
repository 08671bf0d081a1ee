#include "stages/upstream/judge.hpp"

#include <algorithm>
#include <string>

#include "base/encoding.hpp"
#include "base/json.hpp"

namespace vesper::upstream {
namespace {

bool same_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool contains_without_case(std::string_view text, std::string_view part) {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i)
    if (same_without_case(text.substr(i, part.size()), part)) return true;
  return false;
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

bool is_key(std::string_view text, const Uuid& id) {
  const auto parsed = parse_uuid(unquoted(text));
  return parsed && *parsed == id;
}

bool is_hash(std::string_view text, const Hash& hash) {
  std::string hex = "sha256:";
  append_hex(hex, hash);
  return same_without_case(unquoted(text), hex);
}

/// The first string member of that name at any depth; the parser bounds the depth.
const JsonValue* string_member(const JsonValue& value, std::string_view name) {
  for (const JsonValue& child : value) {
    if (value.is(JsonKind::object) && child.name == name && child.is(JsonKind::string))
      return &child;
    if (const auto* found = string_member(child, name)) return found;
  }
  return nullptr;
}

struct Echo {
  bool key = false, receipt = false, hash = false;
  bool other_hash = false;  ///< a hash was stated, and it is not ours
};

Echo echo_of(const UpstreamReply& reply, const Expected& expected) {
  Echo echo;
  const auto hash = [&](std::string_view text) {
    (is_hash(text, expected.content_hash) ? echo.hash : echo.other_hash) = true;
  };
  if (!reply.idempotency_key.empty())
    echo.key = is_key(reply.idempotency_key, expected.delivery_id);
  if (!reply.content_hash.empty()) hash(reply.content_hash);
  if (!reply.body.starts_with('{') && !contains_without_case(reply.content_type, "json"))
    return echo;
  Arena arena;
  const auto document = parse_json(reply.body, arena);
  if (!document) return echo;
  if (const auto* id = string_member(**document, "deliveryId"))
    echo.key = echo.receipt = is_key(id->text, expected.delivery_id);
  else if (const auto* key = string_member(**document, "idempotencyKey"))
    echo.key = is_key(key->text, expected.delivery_id);
  if (const auto* text = string_member(**document, "contentHash")) hash(text->text);
  return echo;
}

bool is_web_page(const UpstreamReply& reply) {
  return contains_without_case(reply.content_type, "text/html") ||
         contains_without_case(std::string_view{reply.body}.substr(0, 256), "<html");
}

Outcome judge_2xx(const UpstreamReply& reply, const Expected& expected) {
  Outcome settled{.verdict = Verdict::settled, .suspect = is_web_page(reply)};
  if (expected.settle == Settle::any_2xx) return settled;
  const Echo echo = echo_of(reply, expected);
  if (reply.status != 202 && echo.key && echo.hash && !echo.other_hash) return settled;
  return {Verdict::retry, Reason::no_receipt, Blame::destination, settled.suspect, {}};
}

Outcome judge_409(const UpstreamReply& reply, const Expected& expected) {
  const Echo echo = echo_of(reply, expected);
  if (!echo.other_hash && (echo.hash || echo.receipt))
    return {.verdict = Verdict::settled, .reason = Reason::already_there};
  return {Verdict::retry, Reason::conflict, Blame::lane, false, {}};
}

Reason reason_of(UpstreamReply::Trouble trouble) {
  using enum UpstreamReply::Trouble;
  switch (trouble) {
    case refused:
      return Reason::refused;
    case timed_out:
      return Reason::timed_out;
    case cut:
    case stale:
      return Reason::cut;
    case tls:
      return Reason::tls;
    case credentials:
      return Reason::credentials;
    case none:
    case not_http:
    case too_large:
      return Reason::not_http;
  }
  return Reason::not_http;
}

Outcome judge_status(const UpstreamReply& reply) {
  const auto parked = [](Reason reason) {
    return Outcome{Verdict::parked, reason, Blame::nobody, false, {}};
  };
  const auto retry = [](Reason reason) {
    return Outcome{Verdict::retry, reason, Blame::destination, false, {}};
  };
  switch (reply.status) {
    case 400:
      return parked(Reason::bad_request);
    case 410:
      return parked(Reason::gone);
    case 413:
      return parked(Reason::content_too_large);
    case 415:
      return parked(Reason::unsupported_media);
    case 422:
      return parked(Reason::unprocessable);
    case 401:
    case 403:
    case 407:
      return retry(Reason::not_authorized);
    case 404:
      return retry(Reason::not_found);
    case 429:
    case 503:
      return retry(Reason::overloaded);
    default:
      break;
  }
  if (reply.status >= 300 && reply.status < 400) return retry(Reason::redirected);
  if (reply.status >= 500 && reply.status < 600) return retry(Reason::server_error);
  return retry(Reason::unexpected_status);
}

}  // namespace

Outcome judge(const UpstreamReply& reply, const Expected& expected) {
  Outcome outcome;
  if (reply.status == 0)
    outcome = {Verdict::retry, reason_of(reply.trouble), Blame::destination, false, {}};
  else if (reply.status >= 200 && reply.status < 300)
    outcome = judge_2xx(reply, expected);
  else if (reply.status == 409)
    outcome = judge_409(reply, expected);
  else
    outcome = judge_status(reply);
  if (outcome.verdict == Verdict::retry && !reply.retry_after.empty())
    outcome.retry_after =
        parse_retry_after(reply.retry_after, expected.now, expected.retry_after_max);
  return outcome;
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::already_there:
      return "already_there";
    case Reason::bad_request:
      return "bad_request";
    case Reason::gone:
      return "gone";
    case Reason::content_too_large:
      return "content_too_large";
    case Reason::unsupported_media:
      return "unsupported_media";
    case Reason::unprocessable:
      return "unprocessable";
    case Reason::not_derivable:
      return "not_derivable";
    case Reason::no_receipt:
      return "no_receipt";
    case Reason::conflict:
      return "conflict";
    case Reason::redirected:
      return "redirected";
    case Reason::not_authorized:
      return "not_authorized";
    case Reason::not_found:
      return "not_found";
    case Reason::overloaded:
      return "overloaded";
    case Reason::server_error:
      return "server_error";
    case Reason::unexpected_status:
      return "unexpected_status";
    case Reason::refused:
      return "refused";
    case Reason::timed_out:
      return "timed_out";
    case Reason::cut:
      return "cut";
    case Reason::not_http:
      return "not_http";
    case Reason::tls:
      return "tls";
    case Reason::credentials:
      return "credentials";
  }
  return "none";
}

}  // namespace vesper::upstream
