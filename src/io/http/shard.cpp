#include "io/http/shard.hpp"

#include <utility>

#include "io/http/reply_writer.hpp"

namespace vesper {
namespace {

// A turn is short, so that commits that came back are answered between two of them.
constexpr Duration turn_time_max = std::chrono::milliseconds{1};
constexpr int turn_requests_max = 128;

}  // namespace

HttpShard::HttpShard(asio::io_context& context_in, HttpService& service_in, Clock& clock_in,
                     Telemetry& telemetry_in, const HttpLimits& limits_in,
                     std::shared_ptr<HttpLoad> load_in, std::shared_ptr<TlsContext> tls_in,
                     TaskScope scope_in)
    : context(context_in),
      service(service_in),
      clock(clock_in),
      telemetry(telemetry_in),
      limits(limits_in),
      load(std::move(load_in)),
      tls(std::move(tls_in)),
      scope(std::move(scope_in)),
      blocks(load),
      date(date_line(clock.wall())),
      now(clock.now()),
      poller(context_in),
      line(limits.reading) {
  figures.last_sweep = now.time_since_epoch().count();
  load->connections_max = limits.connections_max;
  load->bytes_max = limits.bytes_in_flight_max;
}

HttpShard::~HttpShard() = default;

void HttpShard::add(ConnectionBase& connection) {
  connection.next_ = first;
  if (first != nullptr) first->previous_ = &connection;
  first = &connection;
  figures.connections.store(++count, std::memory_order_relaxed);
}

void HttpShard::remove(ConnectionBase& connection) {
  line.leave(connection);
  if (connection.previous_ != nullptr) connection.previous_->next_ = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  if (first == &connection) first = connection.next_;
  figures.connections.store(--count, std::memory_order_relaxed);
}

void HttpShard::enter_line(ConnectionBase& connection, Instant since) {
  line.enter(connection, since, clock.now());
  if (asleep) poller.stop();
}

bool HttpShard::turn() {
  const auto events = poller.harvest();
  Instant at = clock.now();
  for (const epoll_event& event : events)
    static_cast<Pollable*>(event.data.ptr)->on_events(event.events, at);
  const Instant end = at + turn_time_max;
  for (int i = 0; i < turn_requests_max && at < end; ++i) {
    const auto next = line.next(at);
    if (next.place == nullptr) break;
    auto& connection = static_cast<ConnectionBase&>(*next.place);
    connection.waited_ = at - connection.since;
    connection.surplus_ = next.as == admission::ReadLine::As::surplus;
    // Telling somebody costs less than hanging up on him, but for those who have hung up.
    connection.unread_ = connection.surplus_ && connection.gone_;
    if (connection.unread_) telemetry.count(Counter::requests_unread);
    outcome = admission::ReadLine::Outcome::nothing;
    connection.take_turn();
    const Instant done = clock.now();
    line.done(next.as, outcome, done - at);
    at = done;
  }
  return !events.empty() || !line.empty();
}

void HttpShard::sweep(Instant at, WallTime wall) {
  now = at;
  date = date_line(wall);
  for (ConnectionBase *connection = first, *next = nullptr; connection != nullptr;
       connection = next) {
    next = connection->next_;
    if (connection->phase_ == Phase::serving) {
      // One that ends only its own side may still wait for the answer: not at once.
      if (connection->gone_ && now - connection->serving_since_ >= limits.sweep_interval)
        connection->depart();
      continue;
    }
    if (now < connection->due_) continue;
    connection->expired_ = true;
    connection->wake();
  }
  blocks.trim(limits.buffers_kept_max);
  works.trim(limits.buffers_kept_max);
  if (const std::size_t tried = blocks.take_past_tried(); tried > 0)
    telemetry.count(Counter::would_refuse_bytes, tried);
  figures.buffers.store(blocks.in_use(), std::memory_order_relaxed);
}

// Whose request has come already is served.
void HttpShard::start_drain() {
  draining = true;
  for (ConnectionBase *connection = first, *next = nullptr; connection != nullptr;
       connection = next) {
    next = connection->next_;
    const bool came = connection->where != admission::ReadPlace::Where::nowhere;
    if (connection->phase_ == Phase::idle && !came) connection->wake();
  }
}

void HttpShard::force_all() {
  for (ConnectionBase *connection = first, *next = nullptr; connection != nullptr;
       connection = next) {
    next = connection->next_;
    connection->forced_ = true;
    connection->shut();
  }
}

void HttpShard::abandon_all() {
  for (auto* connection = first; connection != nullptr; connection = connection->next_)
    connection->abandon();
}

}  // namespace vesper
