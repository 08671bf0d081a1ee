#include "surge/report.hpp"

#include <algorithm>

namespace vesper::surge {

void Tally::count(const TryRecord& record, Duration good_within) {
  ++tries;
  if (record.number == 1) ++diaries;
  switch (record.end) {
    case TryEnd::timed_out:
      ++timed_out;
      return;
    case TryEnd::cut:
      ++cut;
      return;
    case TryEnd::no_connection:
      ++no_connection;
      return;
    case TryEnd::answered:
      break;
  }
  const auto place = std::ranges::find(counted_statuses, record.status);
  const auto other = counted_statuses.end() - 1;
  ++statuses[static_cast<std::size_t>((place == counted_statuses.end() ? other : place) -
                                      counted_statuses.begin())];
  if (record.status == 201) {
    ++accepted;
    if (record.latency <= good_within) ++good;
    accepted_latency.record(record.latency);
  } else if (is_refusal(record.status)) {
    ++refused;
    refused_latency.record(record.latency);
  } else {
    ++failed;
  }
}

void Tally::merge(const Tally& other) {
  diaries += other.diaries;
  tries += other.tries;
  accepted += other.accepted;
  good += other.good;
  refused += other.refused;
  failed += other.failed;
  timed_out += other.timed_out;
  cut += other.cut;
  no_connection += other.no_connection;
  for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
  accepted_latency.merge(other.accepted_latency);
  refused_latency.merge(other.refused_latency);
}

Verdict verdict_of(const Report& report) {
  if (report.closed_loop || report.late_tries == 0) return Verdict::believable;
  constexpr double all_of_a_core = 0.9;
  return report.own_cpu_share_max >= all_of_a_core ? Verdict::saturated : Verdict::late;
}

std::string_view text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::believable:
      return "believable";
    case Verdict::late:
      return "late";
    case Verdict::saturated:
      return "saturated";
  }
  return "";
}

}  // namespace vesper::surge
