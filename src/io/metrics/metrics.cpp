#include "io/metrics/metrics.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <iterator>

namespace vesper {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

template <class Enumerator>
constexpr std::size_t index_of(Enumerator e) {
  return static_cast<std::size_t>(e);
}

void append_head(std::string& out, const MetricRow& row, std::string_view type) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}.\n# TYPE {} {}\n", row.name, row.help,
                 row.name, type);
}

void append_series(std::string& out, std::string_view name, std::string_view labels,
                   std::string_view value) {
  out += name;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

// The format asks that the series of one name stand together; the table need not have them so.
template <class Value>
void append_family(std::string& out, std::span<const MetricRow> rows, std::string_view type,
                   const Value& value) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bool first = true;
    for (std::size_t before = 0; before < i; ++before) first &= rows[before].name != rows[i].name;
    if (!first) continue;
    append_head(out, rows[i], type);
    for (std::size_t j = i; j < rows.size(); ++j)
      if (rows[j].name == rows[i].name)
        append_series(out, rows[j].name, rows[j].labels, fmt::format("{}", value(j)));
  }
}

}  // namespace

std::uint64_t resident_bytes() {
  unsigned long long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%llu %llu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  std::uint64_t entries = 0;
  if (DIR* directory = ::opendir("/proc/self/fd")) {
    while (::readdir(directory) != nullptr) ++entries;
    ::closedir(directory);
  }
  return entries < 3 ? 0 : entries - 3;  // ".", ".." and the directory itself
}

namespace {

void append_process(std::string& out) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  append_head(out, {"process_cpu_seconds_total", "", "User and system CPU time spent"}, "counter");
  append_series(out, "process_cpu_seconds_total", "",
                fmt::format("{:.6f}", seconds(usage.ru_utime) + seconds(usage.ru_stime)));
  append_head(out, {"process_resident_memory_bytes", "", "Resident memory"}, "gauge");
  append_series(out, "process_resident_memory_bytes", "", fmt::format("{}", resident_bytes()));
  append_head(out, {"process_open_fds", "", "Open file descriptors"}, "gauge");
  append_series(out, "process_open_fds", "", fmt::format("{}", open_descriptors()));
}

}  // namespace

Duration HistogramTotals::quantile(double share) const {
  if (count == 0) return Duration::zero();
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += buckets[i];
    if (seen >= rank && seen != 0) return bucket_bounds()[i];
  }
  return bucket_bounds()[bucket_count - 1];
}

void Metrics::increase(Cell& cell, std::uint64_t n, std::size_t slot) {
  if (slot == shared_slot) [[unlikely]]
    cell.fetch_add(n, relaxed);
  else
    cell.store(cell.load(relaxed) + n, relaxed);  // nobody else writes here
}

void Metrics::count(Counter counter, std::uint64_t n) {
  const std::size_t slot = thread_slot();
  increase((*shards_)[slot].counters[index_of(counter)], n, slot);
}

void Metrics::set(Gauge gauge, std::int64_t value) {
  gauges_[index_of(gauge)].value.store(value, relaxed);
}

void Metrics::add(Gauge gauge, std::int64_t change) {
  gauges_[index_of(gauge)].value.fetch_add(change, relaxed);
}

void Metrics::observe(Histogram histogram, Duration value) {
  const std::size_t slot = thread_slot();
  Distribution& into = (*shards_)[slot].histograms[index_of(histogram)];
  increase(into.buckets[bucket_of(value)], 1, slot);
  increase(into.sum_ns, static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0)), slot);
}

std::uint64_t Metrics::value(Counter counter) const {
  std::uint64_t sum = 0;
  for (const Shard& shard : *shards_) sum += shard.counters[index_of(counter)].load(relaxed);
  return sum;
}

std::int64_t Metrics::value(Gauge gauge) const {
  return gauges_[index_of(gauge)].value.load(relaxed);
}

HistogramTotals Metrics::totals(Histogram histogram) const {
  HistogramTotals out;
  for (const Shard& shard : *shards_) {
    const Distribution& from = shard.histograms[index_of(histogram)];
    for (std::size_t i = 0; i <= bucket_count; ++i) out.buckets[i] += from.buckets[i].load(relaxed);
    out.sum_ns += static_cast<std::int64_t>(from.sum_ns.load(relaxed));
  }
  for (std::uint64_t n : out.buckets) out.count += n;
  return out;
}

void Metrics::expose_histogram(std::string& out, std::size_t index) const {
  const MetricRow& row = histogram_rows()[index];
  const HistogramTotals all = totals(static_cast<Histogram>(index));
  const std::string lead = row.labels.empty() ? "" : fmt::format("{},", row.labels);
  const std::string name = fmt::format("{}_bucket", row.name);
  append_head(out, row, "histogram");
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += all.buckets[i];
    const double bound = std::chrono::duration<double>(bucket_bounds()[i]).count();
    append_series(out, name, fmt::format("{}le=\"{}\"", lead, bound), fmt::format("{}", seen));
  }
  append_series(out, name, fmt::format("{}le=\"+Inf\"", lead), fmt::format("{}", all.count));
  append_series(out, fmt::format("{}_sum", row.name), row.labels,
                fmt::format("{:.9f}", 1e-9 * static_cast<double>(all.sum_ns)));
  append_series(out, fmt::format("{}_count", row.name), row.labels, fmt::format("{}", all.count));
}

void Metrics::expose(std::string& out) const {
  append_family(out, counter_rows(), "counter",
                [this](std::size_t i) { return value(static_cast<Counter>(i)); });
  append_family(out, gauge_rows(), "gauge",
                [this](std::size_t i) { return value(static_cast<Gauge>(i)); });
  for (std::size_t i = 0; i < histogram_rows().size(); ++i) expose_histogram(out, i);
  append_process(out);
}

}  // namespace vesper
