#pragma once
#include <cstdio>
#include <expected>
#include <memory>
#include <string>

#include "surge/report.hpp"

namespace vesper {

/// Every try of a surge as a line of text, so that a checker can prove that nothing acknowledged
/// was lost.
///   Shape:  columns separated by tabs, named in the first line; times in microseconds.
///   Bounds: a line is at most 256 bytes; buffered, so that a try costs no system call.
///   Errors: a write that fails is told by finish().
class SurgeLedger {
 public:
  [[nodiscard]] static std::expected<SurgeLedger, std::string> open(const std::string& file);

  void write(const surge::TryRecord& record, const std::string& trial);
  /// False: not all lines are in the file.
  [[nodiscard]] bool finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
  };
  explicit SurgeLedger(std::FILE* file) : file_(file) {}
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace vesper
