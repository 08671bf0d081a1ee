#include "flows/keys/key_keeper.hpp"

#include <algorithm>

#include "stages/access/demo_keys.hpp"

namespace vesper {

using access::KeyRing;
using access::KeySet;

KeyKeeper::KeyKeeper(std::vector<KeySource> sources, KeyRules rules, const KeyPorts& ports)
    : rules_(rules), ports_(ports) {
  KeyRing ring{.issuers = {}, .generation = 1};
  for (KeySource& source : sources) {
    ring.issuers.push_back({.rules = source.rules, .keys = nullptr});
    states_.push_back(std::make_unique<State>(std::move(source), rules.absent_for));
  }
  ring_ = std::make_shared<const KeyRing>(std::move(ring));
}

KeyKeeper::State* KeyKeeper::find(std::string_view issuer) {
  for (const auto& state : states_)
    if (state->source.rules.issuer == issuer) return state.get();
  return nullptr;
}

std::shared_ptr<const KeyRing> KeyKeeper::ring() const {
  const std::lock_guard lock{mutex_};
  return ring_;
}

std::vector<std::string> KeyKeeper::without_keys() const {
  std::vector<std::string> issuers;
  for (const access::Issuer& issuer : ring()->issuers)
    if (issuer.keys == nullptr) issuers.push_back(issuer.rules.issuer);
  return issuers;
}

std::expected<std::shared_ptr<const KeySet>, std::string> KeyKeeper::judge(
    const State& state, std::string_view text) const {
  auto keys = access::parse_key_set(text, state.source.rules.algorithms);
  if (!keys) return std::unexpected(access::explain(keys.error()));
  if (!access::admissible(*keys, rules_.demonstration))
    return std::unexpected("demonstration keys are good only with --demo");
  return std::make_shared<const KeySet>(std::move(*keys));
}

void KeyKeeper::put_in_force(const State& state, std::shared_ptr<const KeySet> keys) {
  const std::lock_guard lock{mutex_};
  KeyRing next = *ring_;
  for (access::Issuer& issuer : next.issuers)
    if (issuer.rules.issuer == state.source.rules.issuer) issuer.keys = keys;
  ++next.generation;
  ring_ = std::make_shared<const KeyRing>(std::move(next));
  generation_.store(ring_->generation, std::memory_order_release);
}

void KeyKeeper::reload() {
  const std::lock_guard lock{mutex_};
  for (const auto& state : states_) state->reload = true;
}

KeyAnswer KeyKeeper::ask(std::string_view issuer, std::string_view kid) {
  State* state = find(issuer);
  if (state == nullptr) return KeyAnswer::refuse;
  const std::lock_guard lock{mutex_};
  return ask_locked(*state, kid, ports_.clock.now());
}

KeyAnswer KeyKeeper::ask_locked(State& state, std::string_view kid, Instant now) {
  const access::Issuer* issuer = ring_->find(state.source.rules.issuer);
  if (issuer->keys == nullptr) {
    state.doubts.want();
    return KeyAnswer::come_again;
  }
  const bool known =
      kid.empty() ? issuer->keys->only() != nullptr : issuer->keys->find(kid) != nullptr;
  if (known) return KeyAnswer::known_now;
  // A file is looked at every second and has nobody to ask; a token without a kid cannot be told
  // from one that names a key nobody ever had.
  if (!state.source.remote() || kid.empty()) return KeyAnswer::refuse;
  return state.doubts.absent(kid, now) ? KeyAnswer::refuse : KeyAnswer::come_again;
}

asio::awaitable<KeyAnswer> KeyKeeper::settle(std::string issuer, std::string kid,
                                             Deadline deadline) {
  constexpr int waiting_max = 256;
  constexpr Duration step = 20ms;
  State* state = find(issuer);
  if (state == nullptr) co_return KeyAnswer::refuse;
  struct Place {
    std::atomic<int>& count;
    bool taken;
    explicit Place(std::atomic<int>& places)
        : count(places), taken(count.fetch_add(1) < waiting_max) {}
    ~Place() { count.fetch_sub(1); }
  } const place{waiting_};
  for (;;) {
    const Instant now = ports_.clock.now();
    bool hopeless = !place.taken || now + step >= deadline.at;
    KeyAnswer answer;
    {
      const std::lock_guard lock{mutex_};
      answer = ask_locked(*state, kid, now);
      const bool floor_is_late =
          state->began && *state->began + state->source.refresh_floor >= deadline.at;
      hopeless |= !state->source.remote() || (!state->in_flight && floor_is_late);
    }
    if (answer != KeyAnswer::come_again || hopeless) co_return answer;
    if (!co_await ports_.clock.sleep_until(now + step)) co_return KeyAnswer::come_again;
  }
}

}  // namespace vesper
