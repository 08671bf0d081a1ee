#pragma once
#include <string>

#include "ports/clock.hpp"
#include "ports/http_fetch.hpp"

namespace vesper {

/// `vesper outbox VERB --server URL ...`, understood but not judged.
struct OutboxCommand {
  std::string server{};       ///< the admin address, http://127.0.0.1:6060
  std::string verb{};         ///< list, show, redrive, skip, pause, resume
  std::string destination{};  ///< all but list
  std::string delivery_id{};  ///< redrive, skip
  std::string reason{};       ///< of a change
  std::string token{};        ///< bearer, empty: none
  bool json = false;
};

/// What the command prints and how it ends: 0 done, 1 the answer is no, 2 usage.
struct OutboxCommandResult {
  int exit_status = 0;
  std::string out, err;
};

/// Asks the running server and renders its answer. `command` must outlive the await.
asio::awaitable<OutboxCommandResult> run_outbox_command(const OutboxCommand& command,
                                                        HttpFetch& fetch, Clock& clock);

}  // namespace vesper
