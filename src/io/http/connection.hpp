#pragma once
#include <memory>

#include "io/http/request_parser.hpp"
#include "io/http/shard.hpp"

namespace vesper {

/// A connection as it was accepted. Whoever has it closes it.
struct Accepted {
  int fd = -1;
  PeerAddress peer;
};

/// Serves an accepted connection until it ends, in one coroutine on the shard's context.
///   Shape:  requests one after the other, answers in their order; pipelined ones wait in the
///           buffer. Whatever ends a connection, its memory returns to the shard.
///   Errors: none leave it. A fault gets one answer, `Connection: close`, and nothing after it is
///           read as a request.
///   Thread: the shard's.
void serve_connection(const std::shared_ptr<HttpShard>& shard, const Accepted& accepted);

/// Tells a connection past a limit why it ends; where too many are being told, or TLS comes first,
/// it is only closed.
void refuse_connection(const std::shared_ptr<HttpShard>& shard, const Accepted& accepted,
                       const HttpFault& why);

}  // namespace vesper
