#include "io/https_client/reply_evidence.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.hpp"

namespace vesper {
namespace {

constexpr std::size_t evidence_max = 1024;

// What helps to find the request in the destination's own records, and nothing that could be a
// secret or a patient's.
constexpr std::array<std::string_view, 11> evidence_names{
    "date",       "server",        "via",          "content-type",    "content-length",
    "etag",       "last-modified", "x-request-id", "idempotency-key", "vesper-content-hash",
    "retry-after"};

bool is_evidence(std::string_view name) {
  return std::ranges::any_of(evidence_names, [&](std::string_view wanted) {
    return wanted.size() == name.size() && std::ranges::equal(wanted, name, {}, {}, [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
           });
  });
}

const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

Hash digest_of_nothing() {
  Hash hash{};
  unsigned size = 0;
  ensure(EVP_Digest("", 0, hash.data(), &size, sha256(), nullptr) == 1);
  return hash;
}

}  // namespace

void DigestSink::take(std::string_view piece) {
  if (!context_) context_.reset(EVP_MD_CTX_new());
  if (!begun_) ensure(context_ && EVP_DigestInit_ex(context_.get(), sha256(), nullptr) == 1);
  begun_ = true;
  ensure(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1);
}

Hash DigestSink::finish() {
  static const Hash nothing = digest_of_nothing();
  if (!std::exchange(begun_, false)) return nothing;
  Hash hash{};
  unsigned size = 0;
  ensure(EVP_DigestFinal_ex(context_.get(), hash.data(), &size) == 1 && size == hash.size());
  return hash;
}

UpstreamReply reply_of(const ResponseParser& parser) {
  UpstreamReply reply;
  reply.status = static_cast<std::uint16_t>(parser.status());
  if (parser.cut_short()) reply.trouble = UpstreamReply::Trouble::too_large;
  reply.body = parser.body();
  reply.content_type = parser.header("content-type");
  reply.idempotency_key = parser.header("idempotency-key");
  reply.content_hash = parser.header("vesper-content-hash");
  reply.retry_after = parser.header("retry-after");
  std::string_view rest = parser.head();
  rest.remove_prefix(std::min(rest.find("\r\n"), rest.size() - 2) + 2);
  reply.evidence_headers.reserve(std::min(rest.size(), evidence_max));
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find("\r\n") + 2);
    rest.remove_prefix(line.size());
    if (!is_evidence(line.substr(0, line.find(':')))) continue;
    if (reply.evidence_headers.size() + line.size() <= evidence_max)
      reply.evidence_headers.append(line);
  }
  return reply;
}

}  // namespace vesper
