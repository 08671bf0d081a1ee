#pragma once
#include <cstdint>
#include <expected>
#include <string>

#include "io/sqlite/journal_options.hpp"

namespace vesper {

/// Holds the journal's files for this process: a lock of its own file, so that no descriptor of
/// the database is ever closed behind SQLite's back (closing one drops POSIX locks).
///   Shape: `PATH.lock` beside the database; directory 0700 and files 0600 when made here.
class JournalFile {
 public:
  /// Errors: in_use, readable_by_others, cannot_read.
  ///   Why:  a directory that others may list is common (`mkdir data`) and shows no content; one
  ///         that they may write to lets them swap the files, so that is refused.
  static std::expected<JournalFile, OpenFailure> claim(const std::string& path);

  JournalFile(JournalFile&& other) noexcept;
  JournalFile& operator=(JournalFile&& other) noexcept;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile();

 private:
  explicit JournalFile(int lock) : lock_(lock) {}
  int lock_ = -1;
};

struct DiskSpace {
  std::uint64_t free_bytes = 0, total_bytes = 0;
};
/// Of the file system that holds `path`; zeros when it cannot be asked.
[[nodiscard]] DiskSpace disk_space(const std::string& path);
/// 0 when the file does not exist.
[[nodiscard]] std::uint64_t file_bytes(const std::string& path);

}  // namespace vesper
