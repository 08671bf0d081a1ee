#pragma once
#include "io/https_client/tls_source.hpp"
#include "ports/clock.hpp"
#include "ports/http_fetch.hpp"

namespace vesper {

/// HttpFetch over real HTTP: one connection a request.
///   Thread: any executor; what is shared (the TLS files) is only read.
class FetchClient final : public HttpFetch {
 public:
  FetchClient(Clock& clock, TlsFiles files) : clock_(clock), files_(std::move(files)) {}
  asio::awaitable<std::expected<FetchReply, FetchFault>> fetch(const Request& request,
                                                               Deadline deadline) override;

 private:
  Clock& clock_;
  TlsFiles files_;
};

}  // namespace vesper
