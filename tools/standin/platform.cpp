#include "platform.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace standin {
namespace {

using nlohmann::json;
using Mode = Behaviour::Mode;

constexpr std::size_t ledger_text_max = 64 * 1024 * 1024;
constexpr std::pair<std::string_view, Mode> modes[] = {{"ok", Mode::ok},
                                                       {"status", Mode::status},
                                                       {"hang", Mode::hang},
                                                       {"hang_after", Mode::hang_after},
                                                       {"cut_before", Mode::cut_before},
                                                       {"cut_after", Mode::cut_after},
                                                       {"cut_middle", Mode::cut_middle},
                                                       {"html", Mode::html},
                                                       {"redirect", Mode::redirect},
                                                       {"garbage", Mode::garbage},
                                                       {"huge", Mode::huge}};

constexpr std::string_view proxy_page =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to continue."
    "</body></html>";

bool applies(Mode mode) {
  return mode == Mode::ok || mode == Mode::hang_after || mode == Mode::cut_after ||
         mode == Mode::cut_middle || mode == Mode::huge;
}

std::string problem(std::string_view text) {
  return json{{"error", text}}.dump();
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
  for (std::string line; std::getline(before, line);) {
    const auto entry = json::parse(line, nullptr, false);
    if (entry.is_discarded() || entry.value("outcome", "") != "applied") continue;
    applied_[entry.at("key")] = {entry.at("key"), entry.at("hash"), entry.at("subject")};
    ++of_subject_[entry.at("subject")];
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
  const auto quoted = request.header("idempotency-key");
  const std::string key{quoted.size() == 38 ? quoted.substr(1, 36) : quoted},
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
    record("disturbed", key, hash, {}, 0, std::string{modes[static_cast<int>(mode)].first});
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
    case Mode::huge:
      return {.text = answer(200, {}, std::string(behaviour_.huge_bytes, 'x'), "text/plain")};
  }
  return {};
}

std::string Platform::receipt(const std::string& key, const std::string& hash,
                              bool duplicate) const {
  if (!behaviour_.receipt) return answer(200, {}, "{}");
  const json body{
      {"receipt", {{"deliveryId", key}, {"contentHash", hash}, {"duplicate", duplicate}}}};
  return answer(duplicate ? 200 : 201,
                "Idempotency-Key: \"" + key + "\"\r\nVesper-Content-Hash: " + hash + "\r\n",
                body.dump());
}

std::string Platform::quiet(const Request&, std::string_view key) {
  const bool fresh = applied_.try_emplace(std::string{key}).second;
  ++(fresh ? quiet_applied_ : duplicates_);
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
  record("applied", key, hash, subject, ++of_subject_[subject], {});
  return receipt(key, hash, false);
}

void Platform::record(const std::string& outcome, const std::string& key, const std::string& hash,
                      const std::string& subject, std::uint64_t n, const std::string& why) {
  if (options_.quiet_count) return;
  json line{{"outcome", outcome}, {"key", key}, {"hash", hash}, {"subject", subject}};
  if (n > 0) line["n"] = n;
  if (!why.empty()) line["why"] = why;
  const std::string text = line.dump(-1, ' ', true, json::error_handler_t::replace) + '\n';
  if (ledger_text_.size() + text.size() <= ledger_text_max) ledger_text_ += text;
  if (ledger_.is_open()) ledger_ << text << std::flush;
}

std::string Platform::counts() const {
  return json{{"requests", requests_},
              {"applied", options_.quiet_count ? quiet_applied_ : applied_.size()},
              {"duplicates", duplicates_},
              {"refused", refused_},
              {"disturbed", disturbed_},
              {"subjects", of_subject_.size()}}
      .dump();
}

std::string Platform::control(std::string_view body) {
  const auto wanted = json::parse(body, nullptr, false);
  if (!wanted.is_object()) return answer(400, {}, problem("control is a JSON object"));
  try {
    Behaviour next = behaviour_;
    for (const auto& [name, value] : wanted.items()) {
      if (name == "mode") {
        const auto text = value.get<std::string>();
        const auto at = std::ranges::find(modes, text, [](const auto& m) { return m.first; });
        if (at == std::end(modes)) return answer(400, {}, problem("no such mode: " + text));
        next.mode = at->second;
      } else if (name == "status") {
        next.status = value.get<int>();
      } else if (name == "probability") {
        next.probability = value.get<double>();
      } else if (name == "next") {
        next.next = value.get<std::int64_t>();
      } else if (name == "delay_ms") {
        next.delay_ms = value.get<std::uint32_t>();
      } else if (name == "retry_after") {
        next.retry_after = value.get<std::string>();
      } else if (name == "location") {
        next.location = value.get<std::string>();
      } else if (name == "huge_bytes") {
        next.huge_bytes = value.get<std::size_t>();
      } else if (name == "receipt") {
        next.receipt = value.get<bool>();
      } else if (name == "seed") {
        random_ = vesper::Random{value.get<std::uint64_t>()};
      } else {
        return answer(400, {}, problem("unknown member: " + name));
      }
    }
    if (next.status < 200 || next.status > 599) return answer(400, {}, problem("status 200..599"));
    behaviour_ = next;
  } catch (const json::exception& e) {
    return answer(400, {}, problem(e.what()));
  }
  return answer(200, {}, R"({"control":"taken"})");
}

}  // namespace standin
