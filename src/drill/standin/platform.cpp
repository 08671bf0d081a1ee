#include "drill/standin/platform.hpp"

#include <fmt/format.h>

#include "base/arena.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"

namespace vesper::standin {
namespace {

using Mode = Behaviour::Mode;

constexpr std::size_t ledger_text_max = 64 * 1024 * 1024;
constexpr std::string_view proxy_page =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to continue."
    "</body></html>";

bool applies(Mode mode) {
  return mode == Mode::ok || mode == Mode::hang_after || mode == Mode::cut_after ||
         mode == Mode::cut_middle || mode == Mode::huge || mode == Mode::twice;
}

/// A JSON string, quotes included; what is not UTF-8 is not shown.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  if (valid_utf8(text)) append_json_escaped(out, text);
  return out + '"';
}

std::string problem(std::string_view text) {
  return fmt::format(R"({{"error":{}}})", quoted(text));
}

std::string text_of(const JsonValue& line, std::string_view member) {
  const JsonValue* found = line.find(member);
  return found != nullptr && found->is(JsonKind::string) ? std::string{found->text} : std::string{};
}

}  // namespace

std::string_view Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

std::string answer(int status, std::string_view headers, std::string_view body,
                   std::string_view type) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: ";
  text.append(std::to_string(body.size())).append("\r\n").append(headers);
  if (!body.empty()) text.append("Content-Type: ").append(type).append("\r\n");
  return text.append("\r\n").append(body);
}

Platform::Platform(Options options, Behaviour behaviour)
    : options_(std::move(options)), behaviour_(std::move(behaviour)), random_(options_.seed) {
  if (options_.ledger_file.empty()) return;
  // A restarted platform knows what it has applied.
  std::ifstream before{options_.ledger_file};
  Arena arena;
  for (std::string line; std::getline(before, line); arena.reset()) {
    const auto entry = parse_json(line, arena);
    if (!entry || text_of(**entry, "outcome") != "applied") continue;
    const std::string key = text_of(**entry, "key"), subject = text_of(**entry, "subject");
    applied_[key] = {key, text_of(**entry, "hash"), subject};
    ++of_subject_[subject];
    take_effect(key);
  }
  ledger_.open(options_.ledger_file, std::ios::app);
}

Reaction Platform::serve(const Request& request) {
  if (request.method == "POST" && request.target == "/control")
    return {.text = control(request.body)};
  if (request.method == "GET" && request.target == "/count")
    return {.text = answer(200, {}, counts())};
  if (request.method == "GET" && request.target == "/ledger")
    return {.text = answer(200, {}, ledger_text_, "application/x-ndjson")};
  if (request.method == "GET" && request.target == "/healthz")
    return {.text = answer(200, {}, R"({"status":"a stand-in, and well"})")};
  if (request.method == "POST" && request.target.ends_with("/api/sync")) return deliver(request);
  return {.text =
              answer(404, {}, problem("POST /api/sync, GET /count, GET /ledger, POST /control"))};
}

Reaction Platform::deliver(const Request& request) {
  ++requests_;
  const auto given = request.header("idempotency-key");
  const std::string key{given.size() == 38 ? given.substr(1, 36) : given},
      hash{request.header("vesper-content-hash")};
  Reaction reaction;
  const bool hit = behaviour_.mode != Mode::ok && behaviour_.next != 0 &&
                   (behaviour_.probability >= 1 || random_.chance(behaviour_.probability));
  if (hit && behaviour_.next > 0) --behaviour_.next;
  if (hit)
    reaction = disturbed(request, key, hash);
  else if (options_.quiet_count)
    reaction.text = quiet(request, key);
  else
    reaction.text = apply(request, key, hash);
  reaction.delay_ms = behaviour_.delay_ms;
  return reaction;
}

Reaction Platform::disturbed(const Request& request, const std::string& key,
                             const std::string& hash) {
  using Then = Reaction::Then;
  ++disturbed_;
  const Mode mode = behaviour_.mode;
  std::string good;
  if (applies(mode))
    good = apply(request, key, hash);
  else
    record("disturbed", key, hash, {}, 0, std::string{name_of(mode)});
  switch (mode) {
    case Mode::ok:
      return {.text = good};
    case Mode::status: {
      std::string headers;
      if (!behaviour_.retry_after.empty())
        headers = "Retry-After: " + behaviour_.retry_after + "\r\n";
      return {.text = answer(behaviour_.status, headers, problem("told to fail"))};
    }
    case Mode::hang:
    case Mode::hang_after:
      return {.then = Then::hang, .text = {}};
    case Mode::cut_before:
    case Mode::cut_after:
      return {.then = Then::close, .text = {}};
    case Mode::cut_middle:
      return {.then = Then::answer_and_close, .text = good.substr(0, good.size() / 2)};
    case Mode::html:
      return {.text = answer(200, {}, proxy_page, "text/html; charset=utf-8")};
    case Mode::redirect:
      return {.text = answer(307, "Location: " + behaviour_.location + "\r\n", {})};
    case Mode::garbage:
      return {.then = Then::answer_and_close, .text = "220 smtp.example ready\r\n\r\n"};
    case Mode::lie:
      return {.text = receipt(key, hash, false)};
    case Mode::twice:
      take_effect(key);
      return {.text = good};
    case Mode::huge:
      return {.text = answer(200, {}, std::string(behaviour_.huge_bytes, 'x'), "text/plain")};
  }
  return {};
}

std::string Platform::receipt(const std::string& key, const std::string& hash,
                              bool duplicate) const {
  if (!behaviour_.receipt) return answer(200, {}, "{}");
  const std::string body =
      fmt::format(R"({{"receipt":{{"deliveryId":{},"contentHash":{},"duplicate":{}}}}})",
                  quoted(key), quoted(hash), duplicate);
  return answer(duplicate ? 200 : 201,
                "Idempotency-Key: \"" + key + "\"\r\nVesper-Content-Hash: " + hash + "\r\n", body);
}

std::string Platform::quiet(const Request&, std::string_view key) {
  const bool fresh = applied_.try_emplace(std::string{key}).second;
  ++(fresh ? quiet_applied_ : duplicates_);
  if (fresh) take_effect(std::string{key});
  return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
}

std::string Platform::apply(const Request& request, const std::string& key,
                            const std::string& hash) {
  std::string subject;
  std::string fault = fault_of_headers(request);
  if (fault.empty()) fault = fault_of_bundle(request.body, subject);
  if (!fault.empty()) {
    ++refused_;
    record("refused", key, hash, subject, 0, fault);
    return answer(400, {}, problem(fault));
  }
  if (const auto known = applied_.find(key); known != applied_.end()) {
    if (known->second.hash != hash) {
      ++refused_;
      record("refused", key, hash, subject, 0, "key known with another hash");
      return answer(422, {}, problem("this key is known with another hash"));
    }
    ++duplicates_;
    record("duplicate", key, hash, subject, 0, {});
    return receipt(key, hash, true);
  }
  applied_[key] = {key, hash, subject};
  take_effect(key);
  record("applied", key, hash, subject, ++of_subject_[subject], {});
  return receipt(key, hash, false);
}

void Platform::take_effect(const std::string& key) {
  if (const auto id = parse_uuid(key)) effects_.push_back(*id);
}

void Platform::record(const std::string& outcome, const std::string& key, const std::string& hash,
                      const std::string& subject, std::uint64_t n, const std::string& why) {
  if (options_.quiet_count) return;
  std::string text = fmt::format(R"({{"outcome":{},"key":{},"hash":{},"subject":{})",
                                 quoted(outcome), quoted(key), quoted(hash), quoted(subject));
  if (n > 0) text += fmt::format(R"(,"n":{})", n);
  if (!why.empty()) text += fmt::format(R"(,"why":{})", quoted(why));
  text += "}\n";
  if (ledger_text_.size() + text.size() <= ledger_text_max) ledger_text_ += text;
  if (ledger_.is_open()) ledger_ << text << std::flush;
}

std::string Platform::counts() const {
  return fmt::format(
      R"({{"requests":{},"applied":{},"duplicates":{},"refused":{},"disturbed":{},"subjects":{}}})",
      requests_, options_.quiet_count ? quiet_applied_ : applied_.size(), duplicates_, refused_,
      disturbed_, of_subject_.size());
}

std::string Platform::control(std::string_view body) {
  std::optional<std::uint64_t> seed;
  auto next = read_control(body, behaviour_, seed);
  if (!next) return answer(400, {}, problem(next.error()));
  behaviour_ = *std::move(next);
  if (seed) random_ = Random{*seed};
  return answer(200, {}, R"({"control":"taken"})");
}

}  // namespace vesper::standin
