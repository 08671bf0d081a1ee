#pragma once
#include <cstdint>
#include <string>

#include "base/random.hpp"
#include "model/outbox.hpp"
#include "model/upstream.hpp"
#include "ports/bundle_source.hpp"
#include "ports/clock.hpp"
#include "ports/entropy.hpp"
#include "ports/journal_store.hpp"
#include "ports/log.hpp"
#include "ports/outbox_store.hpp"
#include "ports/telemetry.hpp"
#include "ports/upstream.hpp"
#include "stages/relay/gate.hpp"
#include "stages/upstream/judge.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

/// What delivery needs of the world. All outlive the flow.
struct DeliveryPorts {
  JournalStore& journal;
  OutboxStore& outbox;
  Upstream& upstream;
  BundleSource& bundles;
  Clock& clock;
  Entropy& entropy;
  Telemetry& telemetry;
  Log& log;
  TaskScope scope{"deliver"};  ///< of everything that delivery runs
};

/// One diary on its way: its debt and its stored bytes.
struct DeliveryJob {
  OwedEntry entry;
  SharedDiary diary;
  relay::Try tried{};
};

/// How one try ended.
struct AttemptResult {
  upstream::Outcome outcome;
  std::uint16_t http_status = 0;
  std::string evidence_headers;
  Hash body_digest{};
  bool derived = true;  ///< false: no bundle could be made, nothing was sent
};

/// One try: derive the bundle, post it, judge the reply.
///   Shape: `bundle` is room for all tries of a destination, free for the next one once this one
///   waits (ports/upstream.hpp). The trace id is the delivery id, so all tries of a diary stand in
///   one trace; the span is new each time.
asio::awaitable<AttemptResult> attempt(const DeliveryPorts& ports, const UpstreamSettings& settings,
                                       const DeliveryJob& job, Random& random, std::string& bundle,
                                       TaskRecord* task = nullptr);

/// What is stored about a try.
[[nodiscard]] Settlement settlement_of(const DeliveryJob& job, AttemptResult&& result, WallTime at);

}  // namespace vesper
