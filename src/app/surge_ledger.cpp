#include "app/surge_ledger.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "surge/diary_template.hpp"

namespace vesper {
namespace {

constexpr std::size_t buffer_bytes = 1u << 20;
constexpr std::string_view columns =
    "due_us\tlate_us\tlatency_us\ttrial\tsubject\tid\ttry\toutcome\tretry_after_s\n";

std::string_view words_for(surge::TryEnd end) {
  switch (end) {
    case surge::TryEnd::answered:
      return "answered";
    case surge::TryEnd::timed_out:
      return "timed_out";
    case surge::TryEnd::cut:
      return "cut";
    case surge::TryEnd::no_connection:
      return "no_connection";
  }
  return "";
}

}  // namespace

std::expected<SurgeLedger, std::string> SurgeLedger::open(const std::string& file) {
  std::FILE* opened = std::fopen(file.c_str(), "we");
  if (opened == nullptr) return std::unexpected(fmt::format("{}: {}", file, std::strerror(errno)));
  (void)std::setvbuf(opened, nullptr, _IOFBF, buffer_bytes);
  SurgeLedger ledger{opened};
  (void)std::fwrite(columns.data(), 1, columns.size(), opened);
  return ledger;
}

void SurgeLedger::write(const surge::TryRecord& record, const std::string& trial) {
  char line[256], subject[surge::subject_chars];
  surge::format_subject(record.patient, subject);
  const auto us = [](Duration d) { return d.count() / 1000; };
  const auto result =
      fmt::format_to_n(line, sizeof line - 1, "{}\t{}\t{}\t{:.64}\t{}\t{}\t{}\t", us(record.due),
                       us(record.late), us(record.latency), trial,
                       std::string_view{subject, sizeof subject}, record.id, record.number);
  (void)std::fwrite(line, 1, static_cast<std::size_t>(result.out - line), file_.get());
  if (record.end == surge::TryEnd::answered)
    (void)std::fprintf(file_.get(), "%d\t%u\n", record.status, record.retry_after_s);
  else
    (void)std::fprintf(file_.get(), "%s\t0\n", words_for(record.end).data());
}

bool SurgeLedger::finish() {
  const bool flushed = std::fflush(file_.get()) == 0 && std::ferror(file_.get()) == 0;
  file_.reset();
  return flushed;
}

}  // namespace vesper
