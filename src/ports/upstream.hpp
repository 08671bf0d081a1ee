#pragma once
#include <boost/asio/awaitable.hpp>

#include "model/upstream.hpp"

namespace vesper {

namespace asio = boost::asio;

/// One try of one delivery over real HTTP, or simulated.
///   Thread: the delivery thread. Always completes by `deadline`; never throws. What `request`
///   points to must outlive the await, but for the bundle: its place may be used for another one
///   as soon as post() has suspended. Why: one bundle after the other in the same place stays in
///   the processor's cache on its way to the kernel.
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual asio::awaitable<UpstreamReply> post(const UpstreamRequest& request,
                                              Deadline deadline) = 0;
};

}  // namespace vesper
