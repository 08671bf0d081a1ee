#include "stages/journal/anchor.hpp"

#include <fmt/format.h>

#include "stages/journal/proof_members.hpp"

namespace vesper {
namespace {

constexpr std::string_view anchor_format = "vesper-anchor-1";

std::expected<SignedLink, std::string> read_line(std::string_view line) {
  Arena arena;
  const auto parsed = parse_json(line, arena);
  if (!parsed) return std::unexpected(fmt::format("not JSON: {}", parsed.error().reason));
  ProofMembers members(**parsed, "anchor");
  if (members.text("format") != anchor_format)
    return std::unexpected(fmt::format("member format is not {}", anchor_format));
  SignedLink link;
  link.statement.chain = members.uuid("chain");
  link.statement.group = members.number("group");
  link.statement.link = members.hash("hash");
  link.committed_at = members.time("committedAt");
  link.algorithm = members.text("alg");
  link.kid = members.text("kid");
  link.signature = members.signature("signature");
  if (!members.fault.empty()) return std::unexpected(members.fault);
  return link;
}

}  // namespace

std::string write_anchor(const SignedLink& link) {
  std::string hash;
  append_hex(hash, link.statement.link);
  return fmt::format(
      R"({{"format":"{}","chain":"{}","group":{},"hash":"sha256:{}","committedAt":"{}",)"
      R"("alg":"{}","kid":"{}","signature":"{}"}})"
      "\n",
      anchor_format, to_string(link.statement.chain), link.statement.group, hash,
      to_string(link.committed_at), link.algorithm, link.kid,
      encode_base64url(
          {reinterpret_cast<const char*>(link.signature.data()), link.signature.size()}));
}

std::expected<std::vector<SignedLink>, std::string> read_anchors(std::string_view text) {
  std::vector<SignedLink> anchors;
  std::size_t number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    ++number;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) continue;
    auto anchor = read_line(line);
    if (!anchor) return std::unexpected(fmt::format("line {}: {}", number, anchor.error()));
    anchors.push_back(std::move(*anchor));
  }
  if (auto last = read_line(text)) anchors.push_back(std::move(*last));
  return anchors;
}

}  // namespace vesper
