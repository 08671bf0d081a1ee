#pragma once
#include <openssl/evp.h>

#include <memory>

#include "io/https_client/response_parser.hpp"
#include "model/upstream.hpp"

namespace vesper {

/// SHA-256 of a reply body as it passes. Used again for the next reply after finish().
class DigestSink final : public ResponseParser::Sink {
 public:
  void take(std::string_view piece) override;
  [[nodiscard]] Hash finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
  bool begun_ = false;
};

/// The reply as delivery judges and keeps it, without its digest.
[[nodiscard]] UpstreamReply reply_of(const ResponseParser& parser);

}  // namespace vesper
