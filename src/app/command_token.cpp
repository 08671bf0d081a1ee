#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/commands.hpp"
#include "app/input_file.hpp"
#include "app/signing_input.hpp"
#include "base/encoding.hpp"
#include "base/wall_time.hpp"
#include "io/clock/system_clock.hpp"
#include "stages/access/demo_keys.hpp"
#include "stages/access/token_tool.hpp"

namespace vesper {
namespace {

ExitStatus slip(Invocation& invocation, std::string_view what) {
  invocation.err << "vesper " << invocation.command.name << ": " << what << "\n";
  return ExitStatus::usage;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (end != 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string without_blanks(std::string text) {
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  text.erase(text.begin(), std::ranges::find_if_not(text, blank));
  return text;
}

WallTime time_option(const Invocation& invocation, std::string_view name) {
  if (const auto text = invocation.text(name)) return parse_date_time(*text)->utc;
  return SystemClock{}.wall();
}

access::MintRequest mint_request(const Invocation& invocation) {
  access::MintRequest request;
  const access::IssuerRules demo = access::demonstration_rules();
  request.issuer = invocation.text("issuer").value_or(demo.issuer);
  request.audience = *invocation.text("audience");
  request.subject = *invocation.text("subject");
  request.trials = split(invocation.text("trial").value_or(""));
  request.scope = *invocation.text("scope");
  request.site = invocation.text("site").value_or("");
  request.token_id = invocation.text("token-id").value_or("");
  request.issued_at = time_option(invocation, "at");
  request.lifetime = std::chrono::seconds{invocation.number("valid-s")};
  if (invocation.text("not-before")) request.not_before = time_option(invocation, "not-before");
  request.more_claims = invocation.text("claims").value_or("");
  return request;
}

// `kid=ES256,other=RS256`.
std::optional<std::vector<access::BoundAlgorithm>> algorithms(std::string_view text) {
  std::vector<access::BoundAlgorithm> out;
  for (const std::string& part : split(text)) {
    const std::size_t equals = part.rfind('=');
    if (equals == std::string::npos) return std::nullopt;
    const auto algorithm = access::algorithm_named(part.substr(equals + 1));
    if (!algorithm) return std::nullopt;
    out.push_back({part.substr(0, equals), *algorithm});
  }
  return out;
}

void tell(std::ostream& out, const access::TokenReport& report) {
  out << (report.accepted ? "accepted: " : "not accepted: ") << report.reason << "\n";
  if (!report.algorithm.empty()) out << "key: " << report.algorithm << " " << report.kid << "\n";
  if (!report.header.empty()) out << "header: " << report.header << "\n";
  if (!report.claims.empty()) out << "claims: " << report.claims << "\n";
}

}  // namespace

ExitStatus command_token_mint(Invocation& invocation) {
  const bool demo = invocation.flag("demo");
  if (!demo && !invocation.text("issuer")) return slip(invocation, "--issuer TEXT: missing");
  const auto text = read_input(*invocation.text("key"));
  if (!text) return slip(invocation, text.error());
  const auto key = read_signing_key(*text, invocation.text("kid"));
  if (!key) return slip(invocation, fmt::format("--key: {}", access::text_of(key.error())));
  const access::MintRequest request = mint_request(invocation);
  const auto token = access::mint(request, *key);
  if (!token) return slip(invocation, access::text_of(token.error()));
  if (!invocation.flag("json")) {
    invocation.out << *token << "\n";
    return ExitStatus::done;
  }
  invocation.out << fmt::format(R"({{"token":"{}","algorithm":"{}","expires":"{}"}})", *token,
                                access::name_of(key->algorithm()),
                                to_string(request.issued_at + request.lifetime))
                 << "\n";
  return ExitStatus::done;
}

ExitStatus command_token_verify(Invocation& invocation) {
  const auto keys = read_input(*invocation.text("jwks"));
  if (!keys) return slip(invocation, keys.error());
  std::string token = invocation.arguments[0];
  if (token == "-") {
    const auto text = read_input("-");
    if (!text) return slip(invocation, text.error());
    token = *text;
  }
  access::InspectOptions options;
  options.signature_only = invocation.flag("signature-only");
  options.now = time_option(invocation, "at");
  options.issuer = invocation.text("issuer");
  options.audience = invocation.text("audience");
  options.subject_claim = *invocation.text("subject-claim");
  const auto table = algorithms(invocation.text("algorithms").value_or(""));
  if (!table) return slip(invocation, "--algorithms: must be KID=HS256, RS256, ES256 or EdDSA");
  options.algorithms = *table;
  const auto report = access::inspect_token(without_blanks(std::move(token)), *keys, options);
  if (invocation.flag("json"))
    invocation.out << access::to_json(report) << "\n";
  else
    tell(invocation.out, report);
  for (const std::string& note : report.notes) invocation.err << "note: " << note << "\n";
  return report.accepted ? ExitStatus::done : ExitStatus::answer_is_no;
}

}  // namespace vesper
