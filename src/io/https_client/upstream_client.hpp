#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/https_client/credentials.hpp"
#include "io/https_client/deadline_sweep.hpp"
#include "io/https_client/fetch_client.hpp"
#include "io/https_client/tls_source.hpp"
#include "io/https_client/url.hpp"
#include "io/https_client/wire_poller.hpp"
#include "ports/upstream.hpp"

namespace vesper {

/// What is wrong with a destination's table, in words for the person who wrote it; empty when
/// nothing is: start-up refuses it.
[[nodiscard]] std::string fault_of(const UpstreamSettings& settings);

/// Upstream over real HTTP/1.1, with kept connections and TLS.
///   Bounds: connections as many as tries in flight; 64 KiB of a reply kept, 1 MiB read; one
///   deadline bounds credentials, connect, TLS, write and reply together.
///   Shape: a try that finds its kept connection closed by the server goes on with a new one: the
///   key makes a repeat harmless. Redirects are not followed.
///   Thread: `executor`'s only.
class UpstreamClient final : public Upstream {
 public:
  UpstreamClient(asio::any_io_executor executor, Clock& clock,
                 const std::vector<UpstreamSettings>& destinations);
  ~UpstreamClient() override;
  asio::awaitable<UpstreamReply> post(const UpstreamRequest& request, Deadline deadline) override;

 private:
  struct Pool;
  struct KeptConnection;
  [[nodiscard]] Pool* find(std::string_view name) const;
  asio::awaitable<UpstreamReply::Trouble> open(Pool& pool, KeptConnection& connection,
                                               Deadline deadline);
  asio::awaitable<UpstreamReply> try_with(Pool& pool, const UpstreamRequest& request,
                                          Deadline deadline);

  asio::any_io_executor executor_;
  Clock& clock_;
  DeadlineSweep sweep_;
  const std::shared_ptr<WirePoller> poller_;
  std::vector<std::unique_ptr<Pool>> pools_;
};

}  // namespace vesper
