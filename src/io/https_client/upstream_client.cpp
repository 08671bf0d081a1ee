#include "io/https_client/upstream_client.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "base/encoding.hpp"
#include "io/https_client/connection.hpp"
#include "io/https_client/plain_wire.hpp"
#include "io/https_client/reply_evidence.hpp"

namespace vesper {
namespace {

constexpr std::size_t keep_max = 64 * 1024, read_max = 1024 * 1024;

using Trouble = UpstreamReply::Trouble;

Trouble trouble_of(WireFault fault) {
  switch (fault) {
    case WireFault::none:
      return Trouble::none;
    case WireFault::refused:
      return Trouble::refused;
    case WireFault::timed_out:
      return Trouble::timed_out;
    case WireFault::cut:
      return Trouble::cut;
    case WireFault::not_http:
      return Trouble::not_http;
    case WireFault::tls:
      return Trouble::tls;
  }
  return Trouble::cut;
}

UpstreamReply no_answer(Trouble trouble) {
  UpstreamReply reply;
  reply.trouble = trouble;
  return reply;
}

asio::awaitable<UpstreamReply> no_destination() {
  co_return no_answer(Trouble::refused);
}

void append_number(std::string& out, std::size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

std::string fault_of(const UpstreamSettings& s) {
  const auto url = parse_url(s.url);
  if (!url || url->target.contains('?'))
    return "url = \"" + s.url + "\": must be http:// or https:// with a host, and no query";
  if (!s.path.starts_with('/') || !parse_url("http://x" + s.path))
    return "path = \"" + s.path + "\": must begin with / and be printable";
  if (!url->tls && !url->loopback() && !s.allow_plain_http)
    return "url = \"" + s.url + "\": must be https off loopback, unless allow_plain_http = true";
  if (!s.bearer_file.empty() && !s.oauth_token_url.empty())
    return "a bearer file and an OAuth2 token endpoint exclude each other";
  if (s.certificate_file.empty() != s.key_file.empty())
    return "mutual TLS needs both a certificate file and a key file";
  if (!s.oauth_token_url.empty()) {
    const auto token = parse_url(s.oauth_token_url);
    if (!token || (!token->tls && !token->loopback() && !s.allow_plain_http))
      return "oauth2_token_url = \"" + s.oauth_token_url + "\": must be an https URL";
    if (s.oauth_client_id.empty() ||
        s.oauth_client_secret.empty() == s.oauth_client_secret_file.empty())
      return "oauth2_token_url needs oauth2_client_id and oauth2_client_secret";
  }
  return {};
}

/// A connection with what each of its exchanges needs anew, but for the memory.
struct UpstreamClient::KeptConnection final : Expiring {
  explicit KeptConnection(const asio::any_io_executor& executor) : connection(executor) {}
  void expire() override { wire ? wire->expire() : connection.expire(); }
  [[nodiscard]] bool was_stale() const { return wire ? wire->was_stale() : connection.was_stale(); }
  [[nodiscard]] bool reusable() const { return wire ? wire->reusable() : connection.reusable(); }

  ClientConnection connection;
  std::optional<PlainWire> wire;  // what a plain connection becomes
  std::string head;
  ResponseParser parser{keep_max, read_max};
  DigestSink digest;
  Instant idle_since{};
};

struct UpstreamClient::Pool {
  Pool(asio::any_io_executor executor, const UpstreamSettings& s, Clock& clock)
      : settings(s),
        url(parse_url(s.url)),
        tls({s.ca_file, s.certificate_file, s.key_file}),
        fetch(clock, {s.ca_file, {}, {}}),
        credentials(executor, settings, fetch, clock) {
    if (!url) return;
    std::string target = url->target;
    while (target.ends_with('/')) target.pop_back();
    head = "POST " + target + s.path + " HTTP/1.1\r\nHost: " + url->authority() +
           "\r\nUser-Agent: vesper\r\nAccept: application/fhir+json, application/json\r\n"
           "Content-Type: application/fhir+json\r\n";
  }

  std::unique_ptr<KeptConnection> take_idle(Instant now) {
    while (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      if (now - connection->idle_since < settings.idle_max) return connection;
      idle.clear();  // the others have waited longer
    }
    return nullptr;
  }

  void give_back(std::unique_ptr<KeptConnection> connection, Instant now) {
    if (!connection->reusable() || idle.size() >= settings.concurrency) return;
    constexpr std::size_t large_body = 4096;
    if (connection->parser.body().capacity() > large_body)
      connection->parser = ResponseParser{keep_max, read_max};
    connection->idle_since = now;
    const auto fresh = std::ranges::find_if(
        idle, [&](const auto& c) { return now - c->idle_since < settings.idle_max; });
    idle.erase(idle.begin(), fresh);
    idle.push_back(std::move(connection));
  }

  UpstreamSettings settings;
  std::optional<Url> url;
  TlsSource tls;
  FetchClient fetch;
  Credentials credentials;
  std::string head;
  std::vector<std::unique_ptr<KeptConnection>> idle;  // oldest first
  std::vector<asio::ip::tcp::endpoint> addresses;
  Instant resolve_again{};
};

UpstreamClient::UpstreamClient(asio::any_io_executor executor, Clock& clock,
                               const std::vector<UpstreamSettings>& destinations)
    : executor_(std::move(executor)),
      clock_(clock),
      sweep_(executor_, clock),
      poller_(std::make_shared<WirePoller>(executor_)) {
  for (const auto& settings : destinations)
    pools_.push_back(std::make_unique<Pool>(executor_, settings, clock_));
}

UpstreamClient::~UpstreamClient() {
  poller_->stop();
}

UpstreamClient::Pool* UpstreamClient::find(std::string_view name) const {
  const auto at =
      std::ranges::find_if(pools_, [&](const auto& p) { return p->settings.name == name; });
  return at == pools_.end() ? nullptr : at->get();
}

asio::awaitable<UpstreamReply> UpstreamClient::post(const UpstreamRequest& request,
                                                    Deadline deadline) {
  Pool* pool = find(request.destination);
  if (!pool || !pool->url) return no_destination();
  return try_with(*pool, request, deadline);
}

namespace {

void write_head(std::string& out, std::string_view fixed, const UpstreamRequest& request,
                std::string_view authorization) {
  out.assign(fixed);
  out.append("Content-Length: ");
  append_number(out, request.bundle.size());
  char id[uuid_chars];
  format_uuid(request.delivery_id, id);
  out.append("\r\nIdempotency-Key: \"").append(id, uuid_chars).append("\"");
  out.append("\r\nVesper-Content-Hash: sha256:");
  append_hex(out, request.content_hash);
  if (!request.traceparent.empty()) out.append("\r\ntraceparent: ").append(request.traceparent);
  if (!authorization.empty()) out.append("\r\nAuthorization: ").append(authorization);
  out.append("\r\n\r\n");
}

}  // namespace

asio::awaitable<Trouble> UpstreamClient::open(Pool& pool, KeptConnection& connection,
                                              Deadline deadline) {
  const Instant now = clock_.now();
  if (now >= pool.resolve_again || pool.addresses.empty()) {
    auto found = co_await resolve(*pool.url, deadline, clock_);
    if (!found) co_return trouble_of(found.error());
    pool.addresses = std::move(*found);
    pool.resolve_again = now + 30s;
  }
  if (!pool.url->tls && !pool.settings.allow_plain_http)
    std::erase_if(pool.addresses, [](const auto& a) { return !a.address().is_loopback(); });
  TlsSource::Context context;
  if (pool.url->tls) {
    auto loaded = pool.tls.get(now);
    if (!loaded) co_return Trouble::credentials;
    context = std::move(*loaded);
  }
  const KeptDeadline kept{sweep_, deadline.at, connection};
  const auto fault =
      co_await connection.connection.connect(*pool.url, pool.addresses, std::move(context));
  if (fault != WireFault::none) {
    pool.resolve_again = {};
    co_return trouble_of(fault);
  }
  if (pool.url->tls) co_return Trouble::none;
  const int descriptor = connection.connection.release();
  if (descriptor < 0) co_return Trouble::refused;
  connection.wire.emplace(descriptor, poller_);
  co_return Trouble::none;
}

// Whenever it suspends, the request's bundle may become another's: before, it is sent or copied.
asio::awaitable<UpstreamReply> UpstreamClient::try_with(Pool& pool, const UpstreamRequest& request,
                                                        Deadline deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string copy;
  std::string_view bundle = request.bundle;
  const auto keep = [&] {
    if (copy.empty()) bundle = copy = bundle;
  };
  if (!pool.credentials.none()) {
    keep();
    const bool ready = co_await pool.credentials.ready(deadline);
    if (!ready) co_return no_answer(Trouble::credentials);
  }
  for (bool fresh = request.fresh;; fresh = true) {
    auto connection = fresh ? nullptr : pool.take_idle(clock_.now());
    const bool connected = connection != nullptr;
    if (!connected) {
      keep();
      connection = std::make_unique<KeptConnection>(executor_);
      const Trouble trouble = co_await open(pool, *connection, deadline);
      if (trouble != Trouble::none) co_return no_answer(trouble);
    }
    const KeptDeadline kept{sweep_, deadline.at, *connection};
    write_head(connection->head, pool.head, request, pool.credentials.value());
    ResponseParser& parser = connection->parser;
    parser.reset();
    parser.set_sink(&connection->digest);
    WireFault fault = WireFault::none;
    if (connection->wire) {
      PlainWire& wire = *connection->wire;
      wire.begin(connection->head, bundle, parser);
      while (!wire.advance()) co_await wire.ready();
      fault = wire.fault();
    } else {
      keep();
      fault = co_await connection->connection.exchange(connection->head, bundle, parser);
    }
    if (fault != WireFault::none) {
      const bool again = connected && connection->was_stale() && !deadline.passed(clock_.now());
      if (!again) co_return no_answer(trouble_of(fault));
      if (copy.empty()) co_return no_answer(Trouble::stale);
      continue;
    }
    auto reply = reply_of(parser);
    reply.body_digest = connection->digest.finish();
    if (reply.status == 401) pool.credentials.refused();
    pool.give_back(std::move(connection), clock_.now());
    co_return reply;
  }
}

}  // namespace vesper
