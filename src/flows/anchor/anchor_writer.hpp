#pragma once
#include <cstdint>
#include <string>

#include "ports/clock.hpp"
#include "ports/file_store.hpp"
#include "ports/http_fetch.hpp"
#include "ports/log.hpp"
#include "ports/signed_chain.hpp"
#include "ports/telemetry.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

struct AnchorSettings {
  std::string file, url;  ///< either may be empty
  Duration every = 60s;
  std::uint64_t every_groups = 0;  ///< 0: by time alone
  Duration deadline = 5s;          ///< of one posting
  std::string bearer_file;
};

/// Carries signed links to where the journal's holder cannot take them back.
///   Shape:  a place is due when groups were committed since its last anchor and its time, or its
///           number of groups, has come. A place that fails is tried again, later each time, with
///           the link that is newest then; intake never learns of it.
///   Errors: counted, and told in the log when they begin, every hour, and when they end.
///   Thread: one executor, not a shard's: a file blocks for its disk.
class AnchorWriter {
 public:
  static constexpr Duration look_every = 1s, retry_first = 1s, retry_longest = 60s,
                            tell_again = 3600s;
  struct Parts {
    SignedChain& chain;
    FileStore& files;
    HttpFetch& fetch;
    Clock& clock;
    Telemetry& telemetry;
    Log& log;
  };
  AnchorWriter(AnchorSettings settings, const Parts& parts);

  /// Looks every second until it is cancelled.
  asio::awaitable<void> run(TaskRecord* task = nullptr);
  /// One look: writes what is due.
  asio::awaitable<void> look();
  /// For a clean stop: the last link, wherever it was not written yet. One try.
  asio::awaitable<void> finish(Deadline deadline);

 private:
  struct Place {
    std::string_view name;
    std::uint64_t group = 0;  ///< of the last anchor
    Instant next{};           ///< when time alone makes it due, or a failure may be tried again
    Duration pause{};         ///< after the next failure
    bool failing = false;
    Instant told{};
  };
  [[nodiscard]] bool due(const Place& place, std::uint64_t group, Instant now) const;
  asio::awaitable<void> write(const SignedLink& link, bool all, Deadline deadline);
  [[nodiscard]] std::string append(const std::string& line);
  asio::awaitable<std::string> post(const std::string& line, Deadline deadline);
  void note(Place& place, std::uint64_t group, const std::string& fault, Counter written,
            Counter failed);

  const AnchorSettings settings_;
  Parts parts_;
  Place file_{.name = "file"}, url_{.name = "url"};
};

}  // namespace vesper
