#include "surge/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "surge/process_figures.hpp"

namespace vesper::surge {
namespace {

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

Engine::Engine(Plan plan, const Clock& clock, Observer& observer)
    : plan_(std::move(plan)),
      clock_(clock),
      observer_(observer),
      random_(plan_.seed),
      connections_(plan_),
      recorder_(plan_),
      flights_(plan_.connections) {}

std::expected<Report, std::string> Engine::run() {
  if (auto prepared = prepare(); !prepared) return std::unexpected(prepared.error());
  began_ = clock_.now();
  own_cpu_began_ = own_cpu_s();
  if (const auto figures = figures_of(plan_.server_pid)) server_cpu_began_ = figures->cpu_s;
  next_tick_ = plan_.sample_every;
  recorder_.phase_began(0, cpu_so_far());
  for (Duration t = now(); !finished(t); t = now()) {
    tick(t);
    if (plan_.closed_loop)
      offer_closed(t);
    else
      offer(t);
    expire(t);
    receive();
  }
  ended_ = now();
  tell_unanswered();
  for (std::size_t i = phase_ + 1; i <= plan_.trials.size() * segments_max; ++i)
    recorder_.phase_began(i, cpu_so_far());
  Report report = recorder_.finish(cpu_so_far());
  report.length = ended_;
  report.connections_used_max = connections_.used_max();
  report.connections_opened = connections_.opened();
  report.stopped = stopping_.load();
  CrowdReport& crowd = report.crowd;
  crowd.diaries = offered_;
  crowd.unfinished = offered_ - crowd.in - crowd.given_up - crowd.failed;
  return report;
}

std::expected<void, std::string> Engine::prepare() {
  if (auto opened = connections_.open(); !opened) return opened;
  for (const TrialLoad& trial : plan_.trials) {
    length_ = std::max(length_, trial.curve.length());
    Source source{.arrivals = Arrivals{trial.curve, Random{random_.next()}}};
    source.head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\nAuthorization: Bearer ",
        plan_.path, plan_.authority, trial.diary.body.size());
    source.tail = "\r\n\r\n" + trial.diary.body;
    source.id_at = 4 + trial.diary.id_at;
    source.subject_at = 4 + trial.diary.subject_at;
    source.tokens.resize(trial.patients);
    source.next = source.arrivals.next();
    sources_.push_back(std::move(source));
  }
  if (plan_.mint_ahead) mint_all();
  if (plan_.open_ahead) connections_.open_all();
  return {};
}

void Engine::mint_all() {
  std::uint64_t done = 0, of = 0;
  for (const TrialLoad& trial : plan_.trials) of += trial.patients;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const TrialLoad& trial = plan_.trials[i];
    for (std::uint32_t patient = 0; patient < trial.patients && !stopping_; ++patient) {
      std::string subject(subject_chars, '0');
      format_subject(trial.first_patient + patient, subject.data());
      sources_[i].tokens[patient] = plan_.token(trial.id, subject);
      if ((++done & 1023u) == 0 || done == of) observer_.minting(done, of);
    }
  }
}

// What is due goes in the order of the moments, arrivals and returns alike.
void Engine::offer(Duration now) {
  constexpr int at_once_max = 32;  // then answers are read, or they would seem late
  for (int i = 0; i < at_once_max; ++i) {
    Source* source = nullptr;
    for (Source& candidate : sources_)
      if (candidate.next && (source == nullptr || *candidate.next < *source->next))
        source = &candidate;
    const bool full = offered_ >= plan_.diaries_max || diaries_.size() >= outstanding_max;
    arrivals_over_ = source == nullptr || full;
    if (!returns_.empty() && (arrivals_over_ || returns_.top().due <= *source->next)) {
      if (returns_.top().due > now) return;
      const Return back = returns_.top();
      returns_.pop();
      attempt(back.diary, back.due);
      continue;
    }
    if (arrivals_over_ || *source->next > now) return;
    const Duration due = *source->next;
    source->next = source->arrivals.next();
    attempt(new_diary(static_cast<std::uint32_t>(source - sources_.data())), due);
  }
}

void Engine::offer_closed(Duration now) {
  arrivals_over_ = now >= length_ || offered_ >= plan_.diaries_max;
  if (arrivals_over_) return;
  std::uint32_t trial = 0;
  // Counted, as connections to a dead server fail at once.
  for (std::uint32_t i = 0; i < plan_.connections; ++i) {
    if (connections_.busy_now() == plan_.connections) return;
    attempt(new_diary(trial), this->now());
    trial = (trial + 1) % static_cast<std::uint32_t>(sources_.size());
  }
}

std::uint32_t Engine::new_diary(std::uint32_t trial) {
  ++offered_;
  std::uint32_t index = static_cast<std::uint32_t>(diaries_.size());
  if (free_diaries_.empty()) {
    diaries_.emplace_back();
  } else {
    index = free_diaries_.back();
    free_diaries_.pop_back();
  }
  Source& source = sources_[trial];
  const auto wall_ms = clock_.wall().time_since_epoch().count();
  diaries_[index] = {.id = uuid_v7(wall_ms, random_.next(), random_.next()),
                     .trial = trial,
                     .patient = source.next_patient};
  source.next_patient = (source.next_patient + 1) % plan_.trials[trial].patients;
  return index;
}

void Engine::write_request(const Diary& diary) {
  Source& source = sources_[diary.trial];
  const TrialLoad& trial = plan_.trials[diary.trial];
  char subject[subject_chars];
  format_subject(trial.first_patient + diary.patient, subject);
  std::string& token = source.tokens[diary.patient];
  if (token.empty()) token = plan_.token(trial.id, std::string(subject, subject_chars));
  format_uuid(diary.id, &source.tail[source.id_at]);
  std::memcpy(&source.tail[source.subject_at], subject, subject_chars);
  request_.assign(source.head).append(token).append(source.tail);
}

void Engine::attempt(std::uint32_t index, Duration due) {
  Diary& diary = diaries_[index];
  ++diary.tries;
  const Duration late = plan_.closed_loop ? Duration{} : std::max(Duration{}, now() - due);
  recorder_.sent(due, late);
  const auto connection = connections_.take();
  if (!connection) {
    TryRecord record{.due = due, .late = late, .end = TryEnd::no_connection};
    conclude(index, record);
    return;
  }
  Flight& flight = flights_[*connection];
  flight = {.diary = index, .turn = flight.turn + 1, .due = due, .late = late};
  write_request(diary);
  if (!connections_.send(*connection, request_)) {
    end_try(*connection, TryEnd::cut, {});
    return;
  }
  expiries_.push_back({due + late + plan_.try_timeout, *connection, flight.turn});
}

void Engine::receive() {
  constexpr std::size_t between_offers = 16;
  std::size_t handled = 0;
  for (const epoll_event& event : connections_.wait(next_event() - now())) {
    Reply reply;
    const std::uint32_t connection = Connections::index_of(event);
    switch (connections_.receive(event, reply)) {
      case Connections::Got::nothing:
        break;
      case Connections::Got::reply:
        end_try(connection, TryEnd::answered, reply);
        break;
      case Connections::Got::cut:
        end_try(connection, TryEnd::cut, reply);
        break;
    }
    if (++handled % between_offers == 0 && !plan_.closed_loop) offer(now());
  }
}

void Engine::expire(Duration now) {
  constexpr int at_once_max =
      16;  // a hang-up costs as much as a try, and thousands fall due at once
  for (int i = 0; i < at_once_max && !expiries_.empty() && expiries_.front().at <= now; ++i) {
    const Expiry expiry = expiries_.front();
    expiries_.pop_front();
    const Flight& flight = flights_[expiry.connection];
    if (flight.diary != none && flight.turn == expiry.turn)
      end_try(expiry.connection, TryEnd::timed_out, {});
  }
}

void Engine::end_try(std::uint32_t connection, TryEnd end, const Reply& reply) {
  Flight& flight = flights_[connection];
  const std::uint32_t diary = std::exchange(flight.diary, none);
  end = in_time(end, now() - flight.due - flight.late, plan_.try_timeout);
  if (end == TryEnd::answered)
    connections_.done(connection, reply.closing);
  else
    connections_.leave(connection);
  if (diary == none) return;
  conclude(diary, {.due = flight.due,
                   .late = flight.late,
                   .end = end,
                   .status = reply.status,
                   .retry_after_s = reply.retry_after_s.value_or(0)});
}

// Sent, and nobody will ever know: the observer hears of them, the figures do not.
void Engine::tell_unanswered() {
  for (const Flight& flight : flights_) {
    if (flight.diary == none) continue;
    const Diary& diary = diaries_[flight.diary];
    char id[uuid_chars];
    format_uuid(diary.id, id);
    observer_.tried({.trial = diary.trial,
                     .patient = plan_.trials[diary.trial].first_patient + diary.patient,
                     .id = {id, uuid_chars},
                     .number = diary.tries,
                     .due = flight.due,
                     .late = flight.late,
                     .latency = ended_ - flight.due,
                     .end = TryEnd::cut});
  }
}

void Engine::conclude(std::uint32_t index, const TryRecord& outcome) {
  const Duration at = now();
  Diary& diary = diaries_[index];
  char id[uuid_chars];
  format_uuid(diary.id, id);
  TryRecord record = outcome;
  record.trial = diary.trial;
  record.patient = plan_.trials[diary.trial].first_patient + diary.patient;
  record.id = {id, uuid_chars};
  record.number = diary.tries;
  record.latency = at - record.due;
  if (record.end != TryEnd::answered) record.status = 0;
  recorder_.ended(record);
  observer_.tried(record);
  const bool answered = record.end == TryEnd::answered;
  if (answered && record.status == 201) {
    recorder_.accepted_diary(diary.tries, at);
    return forget(index);
  }
  if (answered && !is_refusal(record.status)) {
    recorder_.given_up(true);
    return forget(index);
  }
  const auto told = record.retry_after_s != 0 ? std::optional{record.retry_after_s} : std::nullopt;
  const auto again = plan_.retry.again(at, diary.tries, told, random_);
  if (again && !plan_.closed_loop) {
    returns_.push({*again, index});
    return;
  }
  recorder_.given_up(false);
  forget(index);
}

void Engine::forget(std::uint32_t diary) {
  free_diaries_.push_back(diary);
}

bool Engine::finished(Duration now) const {
  if (stopping_.load(std::memory_order_relaxed)) return true;
  if (now >= length_ + plan_.patience) return true;
  if (now < length_ && !(arrivals_over_ && offered_ >= plan_.diaries_max)) return false;
  if (!arrivals_over_) return false;
  return connections_.busy_now() == 0 && returns_.empty();
}

Duration Engine::next_event() const {
  constexpr Duration rest = 100ms;
  Duration next = std::min(now() + rest, next_tick_);
  if (!expiries_.empty()) next = std::min(next, expiries_.front().at);
  if (plan_.closed_loop) return next;
  if (!returns_.empty()) next = std::min(next, returns_.top().due);
  if (!arrivals_over_)
    for (const Source& source : sources_)
      if (source.next) next = std::min(next, *source.next);
  return next;
}

CpuUse Engine::cpu_so_far() const {
  CpuUse out{.own_s = own_cpu_s() - own_cpu_began_};
  const auto figures = figures_of(plan_.server_pid);
  if (figures && server_cpu_began_ >= 0) out.server_s = figures->cpu_s - server_cpu_began_;
  return out;
}

void Engine::tick(Duration now) {
  const std::size_t phase = recorder_.phase_at(now);
  if (phase != phase_) {
    const CpuUse used = cpu_so_far();
    while (phase_ < phase) recorder_.phase_began(++phase_, used);
  }
  if (now < next_tick_) return;
  const double passed = seconds(now) - last_sample_.at_s;
  const CpuUse used = cpu_so_far();
  Sample sample{.at_s = seconds(now)};
  sample.own_cpu_share = (used.own_s - last_cpu_.own_s) / passed;
  if (used.server_s >= 0) sample.server_cpu_share = (used.server_s - last_cpu_.server_s) / passed;
  if (const auto figures = figures_of(plan_.server_pid)) sample.server_rss_mib = figures->rss_mib;
  sample.open = connections_.open_now();
  sample.busy = connections_.busy_now();
  sample.returning = static_cast<std::uint32_t>(returns_.size());
  last_cpu_ = used;
  last_sample_ = sample;
  recorder_.sampled(sample);
  double rate = 0;
  for (const TrialLoad& trial : plan_.trials) rate += trial.curve.rate_at(now);
  observer_.progress({.at = now,
                      .length = length_,
                      .offered_per_s = rate,
                      .recent = recorder_.take_recent(),
                      .late_max = recorder_.late_max_recent(),
                      .sample = sample});
  while (next_tick_ <= now) next_tick_ += plan_.sample_every;
}

}  // namespace vesper::surge
