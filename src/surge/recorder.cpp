#include "surge/recorder.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace vesper::surge {
namespace {

constexpr Duration interval_min = 100ms;

double ms(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// A phase begins wherever the curve of some trial has a corner.
std::vector<PhaseReport> phases_of(const Plan& plan) {
  std::set<Duration> corners;
  for (const TrialLoad& trial : plan.trials) {
    Duration at{};
    for (const Segment& segment : trial.curve.segments) {
      corners.insert(at);
      at += segment.length;
    }
    corners.insert(at);
  }
  std::vector<PhaseReport> out;
  for (auto from = corners.begin(); from != corners.end() && std::next(from) != corners.end();
       ++from) {
    PhaseReport phase;
    phase.from = *from;
    phase.to = *std::next(from);
    phase.trials.resize(plan.trials.size());
    for (const TrialLoad& trial : plan.trials) {
      phase.from_per_s += trial.curve.rate_at(phase.from);
      phase.to_per_s += trial.curve.rate_at(phase.to - 1ns);
    }
    out.push_back(std::move(phase));
  }
  return out;
}

IntervalReport summary(const Tally& tally, Duration late_max) {
  const auto count = [](std::uint64_t n) { return static_cast<std::uint32_t>(n); };
  const auto status = [&](int code) {
    const auto at = std::ranges::find(counted_statuses, code) - counted_statuses.begin();
    return count(tally.statuses[static_cast<std::size_t>(at)]);
  };
  IntervalReport out;
  out.diaries = count(tally.diaries);
  out.tries = count(tally.tries);
  out.accepted = count(tally.accepted);
  out.good = count(tally.good);
  out.refused_503 = status(503);
  out.refused_429 = status(429);
  out.other = count(tally.refused + tally.failed) - out.refused_503 - out.refused_429;
  out.unanswered = count(tally.timed_out + tally.cut);
  out.no_connection = count(tally.no_connection);
  out.p50_ms = ms(tally.accepted_latency.percentile(0.5));
  out.p99_ms = ms(tally.accepted_latency.percentile(0.99));
  out.p999_ms = ms(tally.accepted_latency.percentile(0.999));
  out.max_ms = ms(tally.accepted_latency.max());
  out.refused_p99_ms = ms(tally.refused_latency.percentile(0.99));
  out.late_max_ms = ms(late_max);
  return out;
}

}  // namespace

Recorder::Recorder(const Plan& plan) : plan_(plan) {
  report_.phases = phases_of(plan);
  phase_cpu_.resize(report_.phases.size() + 1);
  const Duration length =
      (report_.phases.empty() ? Duration{} : report_.phases.back().to) + plan.patience;
  report_.interval = std::max(interval_min, length / std::max(1u, plan.intervals));
  // Round figures: nobody reads intervals of 103.7 ms.
  if (const auto rest = report_.interval % interval_min; rest != 0ns)
    report_.interval += interval_min - rest;
  for (const TrialLoad& trial : plan.trials) report_.trial_names.push_back(trial.id);
}

Recorder::Interval& Recorder::interval_at(Duration since_start) {
  auto index = static_cast<std::size_t>(since_start / report_.interval);
  index = std::min<std::size_t>(index, plan_.intervals);  // the last one takes the rest
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  if (!intervals_[index]) intervals_[index] = std::make_unique<Interval>();
  return *intervals_[index];
}

std::size_t Recorder::phase_at(Duration since_start) const {
  std::size_t phase = 0;
  while (phase < report_.phases.size() && since_start >= report_.phases[phase].to) ++phase;
  return phase;
}

void Recorder::sent(Duration due, Duration late) {
  report_.lateness.record(late);
  if (late > plan_.late_beyond) ++report_.late_tries;
  Interval& interval = interval_at(due);
  interval.late_max = std::max(interval.late_max, late);
  late_max_recent_ = std::max(late_max_recent_, late);
}

void Recorder::ended(const TryRecord& record) {
  total_.count(record, plan_.good_within);
  recent_.count(record, plan_.good_within);
  interval_at(record.due).tally.count(record, plan_.good_within);
  const std::size_t index = phase_at(record.due);
  if (index == report_.phases.size()) return;  // a return after the end of the curve
  PhaseReport& phase = report_.phases[index];
  phase.trials[record.trial].count(record, plan_.good_within);
  if (record.due < phase.from + 1s) phase.first_second.count(record, plan_.good_within);
}

void Recorder::accepted_diary(std::uint32_t tries, Duration at) {
  CrowdReport& crowd = report_.crowd;
  ++crowd.in;
  crowd.tries_of_in += tries;
  crowd.tries_max = std::max(crowd.tries_max, tries);
  ++crowd.tries_spread[std::min<std::size_t>(tries, crowd.tries_spread.size() - 1)];
  crowd.last_in = std::max(crowd.last_in, at);
}

void Recorder::given_up(bool failed) {
  ++(failed ? report_.crowd.failed : report_.crowd.given_up);
}

void Recorder::phase_began(std::size_t phase, const CpuUse& so_far) {
  if (phase < phase_cpu_.size()) phase_cpu_[phase] = so_far;
}

void Recorder::sampled(const Sample& sample) {
  report_.own_cpu_share_max = std::max(report_.own_cpu_share_max, sample.own_cpu_share);
  constexpr std::size_t samples_max = 7200;
  if (report_.samples.size() < samples_max) report_.samples.push_back(sample);
}

Tally Recorder::take_recent() {
  Tally out = recent_;
  recent_ = Tally{};
  return out;
}

Duration Recorder::late_max_recent() {
  return std::exchange(late_max_recent_, Duration{});
}

Report Recorder::finish(const CpuUse& so_far) {
  for (std::size_t i = 0; i < report_.phases.size(); ++i) {
    PhaseReport& phase = report_.phases[i];
    for (const Tally& trial : phase.trials) phase.all.merge(trial);
    const CpuUse &from = phase_cpu_[i], &to = phase_cpu_[i + 1];
    if (from.server_s >= 0 && to.server_s >= from.server_s)
      phase.cpu.server_s = to.server_s - from.server_s;
    phase.cpu.own_s = std::max(0.0, to.own_s - from.own_s);
  }
  for (const auto& interval : intervals_)
    report_.intervals.push_back(interval ? summary(interval->tally, interval->late_max)
                                         : IntervalReport{});
  report_.total = total_;
  report_.cpu = so_far;
  report_.late_beyond = plan_.late_beyond;
  report_.good_within = plan_.good_within;
  report_.try_timeout = plan_.try_timeout;
  report_.connections = plan_.connections;
  report_.closed_loop = plan_.closed_loop;
  constexpr std::array<std::string_view, 5> habits = {"none", "told", "at-once", "doubling",
                                                      "together"};
  report_.retry_habit = habits[static_cast<std::size_t>(plan_.retry.habit)];
  CrowdReport& crowd = report_.crowd;
  crowd.diaries = total_.diaries;
  return std::move(report_);
}

}  // namespace vesper::surge
