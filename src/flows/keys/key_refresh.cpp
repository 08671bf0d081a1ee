#include <algorithm>

#include "flows/keys/kept_keys.hpp"
#include "flows/keys/key_keeper.hpp"

namespace vesper {
namespace {

constexpr std::size_t set_bytes_max = 256 * 1024, kept_bytes_max = set_bytes_max + 4096;

std::string_view text_of(FetchFault fault) {
  switch (fault) {
    case FetchFault::refused:
      return "the connection was refused";
    case FetchFault::timed_out:
      return "no answer in time";
    case FetchFault::cut:
      return "the connection was cut";
    case FetchFault::not_http:
      return "the answer is not HTTP";
    case FetchFault::tls:
      return "the certificate or TLS handshake is not good";
    case FetchFault::too_large:
      return "the answer is too large";
    case FetchFault::bad_url:
      return "the address is not an http or https URL";
  }
  return {};
}

}  // namespace

std::expected<void, std::string> KeyKeeper::load() {
  for (const auto& state : states_) {
    const auto& issuer = state->source.rules.issuer;
    if (std::ranges::count(states_, issuer, [](const auto& s) { return s->source.rules.issuer; }) >
        1)
      return std::unexpected("access.issuer: '" + issuer + "' has more than one table");
    if (state->source.remote()) {
      load_kept(*state);
      continue;
    }
    if (auto loaded = load_file(*state); !loaded)
      return std::unexpected("access.issuer '" + issuer + "': " + state->source.location + ": " +
                             loaded.error());
  }
  return {};
}

std::expected<void, std::string> KeyKeeper::load_file(State& state) {
  // The stamp comes first: a change between the two reads is seen at the next look.
  const auto stamp = ports_.files.stamp(state.source.location);
  state.stamp = stamp ? std::optional{*stamp} : std::nullopt;
  const auto text = ports_.files.read(state.source.location, set_bytes_max, Secrecy::owner_only);
  if (!text) return std::unexpected(std::string{vesper::text_of(text.error())});
  return take(state, *text);
}

// What was kept is only ever a help: without it the first fetch decides.
void KeyKeeper::load_kept(State& state) {
  if (state.source.kept_path.empty()) return;
  const auto text = ports_.files.read(state.source.kept_path, kept_bytes_max, Secrecy::owner_only);
  const auto kept = text ? read_kept_keys(*text) : std::nullopt;
  if (!kept || kept->location != state.source.location) return;
  const Duration age = std::max(Duration::zero(), Duration{ports_.clock.wall() - kept->fetched_at});
  if (age >= rules_.age_max) return;
  auto keys = judge(state, kept->key_set);
  if (!keys) return;
  state.key_set = kept->key_set;
  state.good_at = state.kept_at = ports_.clock.now() - age;
  put_in_force(state, std::move(*keys));
  ports_.log.write(LogLevel::info, "keys.kept", "the last good key set was read from disk",
                   {{"vesper.issuer", std::string_view{state.source.rules.issuer}}});
}

void KeyKeeper::start(const asio::any_io_executor& executor) {
  for (const auto& state : states_)
    ports_.scope.spawn(executor, "issuer", for_ever,
                       [this, &state = *state](TaskRecord* task) { return keep(state, task); });
}

asio::awaitable<void> KeyKeeper::keep(State& state, TaskRecord* task) {
  for (;;) {
    const Instant now = ports_.clock.now();
    if (!state.source.remote())
      look_at_file(state);
    else if (due(state, now))
      co_await refresh(state, task);
    give_up_when_old(state, ports_.clock.now());
    const Duration pause = state.source.remote() ? rules_.tick : rules_.file_poll;
    const Instant at = ports_.clock.now();
    if (task != nullptr) task->mark("clock.sleep", at, at + pause);
    if (!co_await ports_.clock.sleep_until(at + pause)) co_return;
  }
}

void KeyKeeper::look_at_file(State& state) {
  bool anew = false;
  {
    const std::lock_guard lock{mutex_};
    anew = std::exchange(state.reload, false);
  }
  const auto stamp = ports_.files.stamp(state.source.location);
  const bool same = stamp ? state.stamp == *stamp : !state.stamp.has_value();
  if (same && !anew) return;
  if (auto loaded = load_file(state); !loaded)
    ports_.log.write(LogLevel::error, "keys.refused", loaded.error(),
                     {{"vesper.issuer", std::string_view{state.source.rules.issuer}}});
}

bool KeyKeeper::due(const State& state, Instant now) {
  const std::lock_guard lock{mutex_};
  const bool floor = state.began && now < *state.began + state.source.refresh_floor;
  return !floor && (state.reload || state.doubts.wanted() || now >= state.next);
}

asio::awaitable<void> KeyKeeper::refresh(State& state, TaskRecord* task) {
  const Instant began = ports_.clock.now();
  {
    const std::lock_guard lock{mutex_};
    state.began = began;
    state.in_flight = true;
    state.reload = false;
    state.doubts.fetch_began();
  }
  HttpFetch::Request request;
  request.url = state.source.location;
  request.headers = "Accept: application/jwk-set+json, application/json\r\n";
  const Deadline deadline{began + state.source.fetch_deadline};
  std::expected<FetchReply, FetchFault> reply;
  {
    const Waiting waiting{task, "keys.fetch", began, deadline.at};
    reply = co_await state.source.fetch->fetch(request, deadline);
  }
  std::expected<void, std::string> taken;
  if (!reply)
    taken = std::unexpected(std::string{text_of(reply.error())});
  else if (reply->status != 200)
    taken = std::unexpected("the answer has status " + std::to_string(reply->status));
  else
    taken = take(state, reply->body);

  const Instant now = ports_.clock.now();
  {
    const std::lock_guard lock{mutex_};
    state.in_flight = false;
    if (!taken)
      state.doubts.fetch_failed();
    else if (const auto* issuer = ring_->find(state.source.rules.issuer); issuer->keys)
      state.doubts.fetch_succeeded(*issuer->keys, now);
  }
  if (taken) {
    state.failures = 0;
    state.next = now + jittered(state.source.refresh);
    keep_on_disk(state, now);
    co_return;
  }
  const auto doublings = std::min<std::uint32_t>(state.failures++, 16);
  state.next =
      now + jittered(std::min(rules_.retry_max, state.source.refresh_floor * (1 << doublings)));
  ports_.log.write(LogLevel::warn, "keys.refused", taken.error(),
                   {{"vesper.issuer", std::string_view{state.source.rules.issuer}},
                    {"vesper.failures", std::int64_t{state.failures}}});
}

// Equal bytes put nothing new in force: the caches of verified tokens stay.
std::expected<void, std::string> KeyKeeper::take(State& state, const std::string& text) {
  const bool same = state.good_at.has_value() && text == state.key_set;
  if (!same) {
    auto keys = judge(state, text);
    if (!keys) return std::unexpected(keys.error());
    const auto refused = static_cast<std::int64_t>((*keys)->refused.size());
    const auto used = static_cast<std::int64_t>((*keys)->keys.size());
    state.key_set = text;
    state.kept_at = Instant{};
    put_in_force(state, std::move(*keys));
    ports_.log.write(LogLevel::info, "keys.in_force", "another key set is in force",
                     {{"vesper.issuer", std::string_view{state.source.rules.issuer}},
                      {"vesper.keys_used", used},
                      {"vesper.keys_refused", refused}});
  }
  state.good_at = ports_.clock.now();
  return {};
}

void KeyKeeper::keep_on_disk(State& state, Instant now) {
  const bool recent = state.kept_at != Instant{} && now < state.kept_at + rules_.age_max / 8;
  if (recent || state.source.kept_path.empty()) return;
  const std::string text =
      write_kept_keys({ports_.clock.wall(), state.source.location, state.key_set});
  if (ports_.files.replace(state.source.kept_path, text))
    state.kept_at = now;
  else
    ports_.log.write(LogLevel::warn, "keys.not_kept", "the last good key set could not be kept",
                     {{"vesper.issuer", std::string_view{state.source.rules.issuer}}});
}

void KeyKeeper::give_up_when_old(State& state, Instant now) {
  if (!state.source.remote() || !state.good_at || now < *state.good_at + rules_.age_max) return;
  state.good_at.reset();
  put_in_force(state, nullptr);
  ports_.log.write(LogLevel::error, "keys.given_up",
                   "the key set is too old to be trusted and could not be refreshed",
                   {{"vesper.issuer", std::string_view{state.source.rules.issuer}}});
}

Duration KeyKeeper::jittered(Duration length) const {
  const auto tenth = length.count() / 10;
  const auto within = static_cast<std::int64_t>(ports_.entropy.next() >> 1) % (2 * tenth + 1);
  return length + Duration{within - tenth};
}

}  // namespace vesper
