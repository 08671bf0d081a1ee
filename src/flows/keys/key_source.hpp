#pragma once
#include <string>

#include "base/time.hpp"
#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "ports/file_store.hpp"
#include "ports/http_fetch.hpp"
#include "ports/log.hpp"
#include "stages/access/key_ring.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

/// Where one issuer's keys come from.
struct KeySource {
  access::IssuerRules rules{};
  std::string location{};        ///< a file's path, or an http(s) URL when `fetch` is set
  HttpFetch* fetch = nullptr;    ///< remote: how to reach it; outlives the keeper
  std::string kept_path{};       ///< remote: where the last good set is kept; empty: nowhere
  Duration refresh = 10min;      ///< between two good fetches, give or take a tenth
  Duration refresh_floor = 10s;  ///< least time between the starts of two fetches
  Duration fetch_deadline = 5s;

  [[nodiscard]] bool remote() const { return fetch != nullptr; }
};

/// What holds for every issuer.
struct KeyRules {
  bool demonstration = false;  ///< `--demo`: demonstration keys are good
  Duration age_max = 72h;      ///< after which a remote set that cannot be refreshed is given up
  Duration file_poll = 1s;     ///< how often a file is looked at
  Duration retry_max = 5min;   ///< longest time between two failing fetches
  Duration tick = 50ms;        ///< how soon a wish for a refresh is seen
  Duration absent_for = 5s;    ///< how long a kid stays absent after a fetch did not bring it
};

/// The keeper's effects; all outlive it.
struct KeyPorts {
  Clock& clock;
  Entropy& entropy;
  FileStore& files;
  Log& log;
  TaskScope scope{"keys"};  ///< of the task of each issuer
};

}  // namespace vesper
