#pragma once
#include <cstdint>

#include "base/time.hpp"

namespace vesper {

/// Every metric in one closed table: enumerator, Prometheus name, help. The reference page and
/// /metrics are generated from it. Patients never are a label; labels are closed enums, so each
/// label value is its own row (`vesper_http_requests_total{status="201"}`).
///   Shape: X(enumerator, "name", "labels or empty", "help")
#define VESPER_COUNTERS(X)                                                                       \
  X(diaries_committed, "vesper_journal_diaries_total", R"(outcome="stored")",                    \
    "Diaries by outcome of the commit")                                                          \
  X(diaries_replayed, "vesper_journal_diaries_total", R"(outcome="replay")",                     \
    "Diaries by outcome of the commit")                                                          \
  X(diaries_conflicting, "vesper_journal_diaries_total", R"(outcome="conflict")",                \
    "Diaries by outcome of the commit")                                                          \
  X(journal_groups, "vesper_journal_groups_total", "", "Commit groups")                          \
  X(journal_group_entries, "vesper_journal_group_entries_total", "", "Entries in commit groups") \
  X(deliveries_settled, "vesper_outbox_deliveries_total", R"(outcome="delivered")",              \
    "Delivery tries by outcome")                                                                 \
  X(deliveries_parked, "vesper_outbox_deliveries_total", R"(outcome="parked")",                  \
    "Delivery tries by outcome")                                                                 \
  X(deliveries_retried, "vesper_outbox_deliveries_total", R"(outcome="retried")",                \
    "Delivery tries by outcome")                                                                 \
  X(connections_opened, "vesper_http_connections_total", "", "Intake connections accepted")      \
  X(connections_refused, "vesper_http_connections_refused_total", "",                            \
    "Intake connections over the limit")                                                         \
  X(requests_unread, "vesper_http_requests_unread_total", "",                                    \
    "Connections closed unread under overload: their client had left")                           \
  X(requests_2xx, "vesper_http_requests_total", R"(class="2xx")", "Answers by status class")     \
  X(requests_3xx, "vesper_http_requests_total", R"(class="3xx")", "Answers by status class")     \
  X(requests_4xx, "vesper_http_requests_total", R"(class="4xx")", "Answers by status class")     \
  X(requests_5xx, "vesper_http_requests_total", R"(class="5xx")", "Answers by status class")     \
  X(refused_at_head, "vesper_ingest_refused_total", R"(stage="head")",                           \
    "Diaries refused, by the stage that refused")                                                \
  X(refused_at_decode, "vesper_ingest_refused_total", R"(stage="decode")",                       \
    "Diaries refused, by the stage that refused")                                                \
  X(refused_at_access, "vesper_ingest_refused_total", R"(stage="access")",                       \
    "Diaries refused, by the stage that refused")                                                \
  X(refused_at_catalog, "vesper_ingest_refused_total", R"(stage="catalog")",                     \
    "Diaries refused, by the stage that refused")                                                \
  X(refused_at_form, "vesper_ingest_refused_total", R"(stage="form")",                           \
    "Diaries refused, by the stage that refused")                                                \
  X(refused_at_journal, "vesper_ingest_refused_total", R"(stage="journal")",                     \
    "Diaries refused, by the stage that refused")                                                \
  X(refused_for_loop, "vesper_admission_refused_total", R"(reason="loop")",                      \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_journal, "vesper_admission_refused_total", R"(reason="journal")",                \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_deadline, "vesper_admission_refused_total", R"(reason="deadline")",              \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_share, "vesper_admission_refused_total", R"(reason="share")",                    \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_class, "vesper_admission_refused_total", R"(reason="class")",                    \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_ceiling, "vesper_admission_refused_total", R"(reason="ceiling")",                \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_breaker, "vesper_admission_refused_total", R"(reason="breaker")",                \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_cold, "vesper_admission_refused_total", R"(reason="new-token")",                 \
    "Requests refused to protect the server, by reason")                                         \
  X(refused_for_bytes, "vesper_admission_refused_total", R"(reason="bytes")",                    \
    "Requests refused to protect the server, by reason")                                         \
  X(over_patient_rate, "vesper_admission_over_rate_total", R"(of="patient")",                    \
    "Requests over a rate or quota (429)")                                                       \
  X(over_patient_day, "vesper_admission_over_rate_total", R"(of="patient-day")",                 \
    "Requests over a rate or quota (429)")                                                       \
  X(over_caller_rate, "vesper_admission_over_rate_total", R"(of="caller")",                      \
    "Requests over a rate or quota (429)")                                                       \
  X(over_trial_rate, "vesper_admission_over_rate_total", R"(of="trial")",                        \
    "Requests over a rate or quota (429)")                                                       \
  X(over_address_rate, "vesper_admission_over_rate_total", R"(of="address")",                    \
    "Requests over a rate or quota (429)")                                                       \
  X(over_connection_rate, "vesper_admission_over_rate_total", R"(of="connection")",              \
    "Requests over a rate or quota (429)")                                                       \
  X(over_address_connections, "vesper_admission_over_rate_total", R"(of="address-connections")", \
    "Requests over a rate or quota (429)")                                                       \
  X(would_refuse_patient, "vesper_admission_would_refuse_total", R"(of="patient")",              \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_patient_day, "vesper_admission_would_refuse_total", R"(of="patient-day")",      \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_caller, "vesper_admission_would_refuse_total", R"(of="caller")",                \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_trial, "vesper_admission_would_refuse_total", R"(of="trial")",                  \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_ceiling, "vesper_admission_would_refuse_total", R"(of="ceiling")",              \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_address, "vesper_admission_would_refuse_total", R"(of="address")",              \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_connection, "vesper_admission_would_refuse_total", R"(of="connection")",        \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_address_connections, "vesper_admission_would_refuse_total",                     \
    R"(of="address-connections")", "Requests that a dry run let pass")                           \
  X(would_refuse_at_door, "vesper_admission_would_refuse_total", R"(of="door")",                 \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_connections, "vesper_admission_would_refuse_total", R"(of="connections")",      \
    "Requests that a dry run let pass")                                                          \
  X(would_refuse_bytes, "vesper_admission_would_refuse_total", R"(of="bytes")",                  \
    "Requests that a dry run let pass")                                                          \
  X(clients_unnamed, "vesper_admission_clients_unnamed_total", "",                               \
    "Requests whose trusted proxy named no client: no limit of an address counted")              \
  X(names_forgotten, "vesper_admission_names_forgotten_total", "",                               \
    "Names in use whose allowance was forgotten for want of room")                               \
  X(diaries_held, "vesper_ingest_held_total", "", "Diaries taken and held for judgement")        \
  X(bundles_failed, "vesper_fhir_bundles_failed_total", "",                                      \
    "Stored diaries that could not be made a bundle when their delivery was due")                \
  X(bundles_deferred, "vesper_fhir_bundles_deferred_total", "",                                  \
    "Bundles put off: derivation is deferred, or what judges them is not loaded yet")            \
  X(trials_published, "vesper_catalog_publications_total", "", "Trial documents put in force")   \
  X(framing_faults, "vesper_http_framing_faults_total", "",                                      \
    "Requests refused for syntax or framing")                                                    \
  X(tokens_cached, "vesper_access_tokens_total", R"(outcome="cached")", "Tokens by outcome")     \
  X(tokens_verified, "vesper_access_tokens_total", R"(outcome="verified")", "Tokens by outcome") \
  X(tokens_refused, "vesper_access_tokens_total", R"(outcome="refused")", "Tokens by outcome")   \
  X(anchors_to_file, "vesper_anchor_writes_total", R"(to="file",outcome="written")",             \
    "Anchors by place and outcome")                                                              \
  X(anchors_failed_to_file, "vesper_anchor_writes_total", R"(to="file",outcome="failed")",       \
    "Anchors by place and outcome")                                                              \
  X(anchors_to_url, "vesper_anchor_writes_total", R"(to="url",outcome="written")",               \
    "Anchors by place and outcome")                                                              \
  X(anchors_failed_to_url, "vesper_anchor_writes_total", R"(to="url",outcome="failed")",         \
    "Anchors by place and outcome")                                                              \
  X(tasks_stalled, "vesper_tasks_stalls_total", "", "Tasks found past their deadline")           \
  X(log_lines_lost, "vesper_log_lines_lost_total", "", "Log lines dropped because stdout was slow")

#define VESPER_GAUGES(X)                                                                           \
  X(connections_open, "vesper_http_connections", "", "Intake connections open now")                \
  X(connections_max, "vesper_http_connections_max", "", "Ceiling of intake connections in force")  \
  X(bytes_in_flight, "vesper_http_bytes_in_flight", "", "Buffers held for requests of the intake") \
  X(bytes_in_flight_max, "vesper_http_bytes_in_flight_max", "",                                    \
    "Ceiling in force of the buffers held for requests of the intake")                             \
  X(journal_queue, "vesper_journal_queue_entries", "", "Entries waiting for a commit group")       \
  X(journal_bytes, "vesper_journal_bytes", "", "Size of the journal's database file")              \
  X(journal_wal_bytes, "vesper_journal_wal_bytes", "", "Size of the journal's write-ahead log")    \
  X(disk_free_bytes, "vesper_journal_disk_free_bytes", "", "Free bytes where the journal lives")   \
  X(deliveries_in_flight, "vesper_outbox_in_flight", "", "Deliveries in flight now")               \
  X(outbox_owed, "vesper_outbox_owed", "", "Deliveries owed, over all destinations")               \
  X(outbox_blocked, "vesper_outbox_blocked", "", "Deliveries owed that wait behind a parked one")  \
  X(outbox_parked, "vesper_outbox_parked", "", "Deliveries parked: they wait for a person")        \
  X(outbox_unconfigured, "vesper_outbox_unconfigured", "",                                         \
    "Deliveries owed to destinations that have left the configuration")                            \
  X(outbox_oldest_seconds, "vesper_outbox_oldest_age_seconds", "", "Age of the oldest debt")       \
  X(destinations_shut, "vesper_relay_destinations_shut", "",                                       \
    "Destinations whose breaker is not closed")                                                    \
  X(destinations_paused, "vesper_relay_destinations_paused", "",                                   \
    "Destinations that somebody has paused")                                                       \
  X(degradation_level, "vesper_admission_degradation_level", "", "Level of degradation, 0 to 4")   \
  X(journal_breaker_open, "vesper_admission_journal_breaker_open", "",                             \
    "1 while diaries are refused because a commit does not return")                                \
  X(trials_loaded, "vesper_catalog_trials", "", "Trials in force")                                 \
  X(anchors_failing, "vesper_anchor_places_failing", "",                                           \
    "Places, file and URL, that the last anchor could not be written to")                          \
  X(tasks_live, "vesper_tasks_live", "", "Coroutines and threads that run now")                    \
  X(tasks_stalled_now, "vesper_tasks_stalled", "", "Tasks that are past their deadline now")

#define VESPER_HISTOGRAMS(X)                                                                      \
  X(ingest_seconds, "vesper_ingest_seconds", "", "Head read to answer ready, POST /patient/data") \
  X(commit_seconds, "vesper_journal_commit_seconds", "", "BEGIN to synced COMMIT of one group")   \
  X(delivery_seconds, "vesper_upstream_request_seconds", "", "One delivery try")                  \
  X(delivery_age_seconds, "vesper_outbox_delivery_age_seconds", "", "Commit to settled")          \
  X(loop_lag_seconds, "vesper_loop_lag_seconds", "", "Delay of a shard's event loop")

enum class Counter : std::uint16_t {
#define X(name, ...) name,
  VESPER_COUNTERS(X)
#undef X
      count_
};
enum class Gauge : std::uint16_t {
#define X(name, ...) name,
  VESPER_GAUGES(X)
#undef X
      count_
};
enum class Histogram : std::uint16_t {
#define X(name, ...) name,
  VESPER_HISTOGRAMS(X)
#undef X
      count_
};

/// Where figures go.
///   Thread: any; a count costs one uncontended memory write.
class Telemetry {
 public:
  virtual ~Telemetry() = default;
  virtual void count(Counter counter, std::uint64_t n = 1) = 0;
  virtual void set(Gauge gauge, std::int64_t value) = 0;
  virtual void add(Gauge gauge, std::int64_t change) = 0;
  virtual void observe(Histogram histogram, Duration value) = 0;
};

}  // namespace vesper
