#include "io/http/shard.hpp"

#include <utility>

#include "io/http/reply_writer.hpp"

namespace vesper {

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
      blocks(load, limits.bytes_in_flight_max),
      date(date_line(clock.wall())),
      now(clock.now()) {}

void HttpShard::add(ConnectionBase& connection) {
  connection.next_ = first;
  if (first != nullptr) first->previous_ = &connection;
  first = &connection;
  figures.connections.store(++count, std::memory_order_relaxed);
}

void HttpShard::remove(ConnectionBase& connection) {
  set_warm(connection, false);
  if (connection.previous_ != nullptr) connection.previous_->next_ = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  if (first == &connection) first = connection.next_;
  figures.connections.store(--count, std::memory_order_relaxed);
}

void HttpShard::set_warm(ConnectionBase& connection, bool warm) {
  if (connection.warm_ == warm) return;
  connection.warm_ = warm;
  warm_count += warm ? 1 : std::size_t(-1);
  if (warm) connection.warm_until_ = now + limits.warm_time;
}

void HttpShard::sweep(Instant at, WallTime wall) {
  now = at;
  date = date_line(wall);
  for (auto* connection = first; connection != nullptr; connection = connection->next_) {
    if (connection->phase_ == Phase::serving) continue;
    if (now >= connection->due_) {
      connection->expired_ = true;
      connection->wake();
    } else if (connection->warm_ && now >= connection->warm_until_) {
      connection->cool_down_ = true;
      connection->wake();
    }
  }
  blocks.trim(limits.warm_connections_max);
  works.trim(limits.warm_connections_max);
  figures.buffers.store(blocks.in_use(), std::memory_order_relaxed);
}

void HttpShard::start_drain() {
  draining = true;
  for (auto* connection = first; connection != nullptr; connection = connection->next_)
    if (connection->phase_ == Phase::idle) connection->wake();
}

void HttpShard::force_all() {
  for (auto* connection = first; connection != nullptr; connection = connection->next_) {
    connection->forced_ = true;
    connection->shut();
  }
}

}  // namespace vesper
