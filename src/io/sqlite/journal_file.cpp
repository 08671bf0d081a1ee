#include "io/sqlite/journal_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace vesper {
namespace {

std::unexpected<OpenFailure> failure(OpenFault fault, std::string detail) {
  return std::unexpected(OpenFailure{fault, std::move(detail)});
}

std::string directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

std::expected<void, OpenFailure> check_directory(const std::string& directory) {
  struct stat info{};
  if (stat(directory.c_str(), &info) != 0) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), error);
    if (mkdir(directory.c_str(), 0700) == 0) return {};
    return failure(OpenFault::cannot_read,
                   fmt::format("cannot make directory {}: {}", directory, std::strerror(errno)));
  }
  if ((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0)
    return failure(OpenFault::readable_by_others,
                   fmt::format("others may write to directory {} (mode {:o}): chmod o-w it",
                               directory, info.st_mode & 07777));
  return {};
}

std::expected<void, OpenFailure> check_file(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  if ((info.st_mode & 0077) != 0)
    return failure(
        OpenFault::readable_by_others,
        fmt::format("others can read {} (mode {:o}): chmod 600 it", path, info.st_mode & 07777));
  return {};
}

}  // namespace

std::expected<JournalFile, OpenFailure> JournalFile::claim(const std::string& path) {
  if (auto checked = check_directory(directory_of(path)); !checked)
    return std::unexpected(checked.error());
  for (const char* suffix : {"", "-wal", "-shm", ".lock"})
    if (auto checked = check_file(path + suffix); !checked) return std::unexpected(checked.error());
  const std::string lock_path = path + ".lock";
  JournalFile file{open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (file.lock_ < 0)
    return failure(OpenFault::cannot_read,
                   fmt::format("cannot open {}: {}", lock_path, std::strerror(errno)));
  if (flock(file.lock_, LOCK_EX | LOCK_NB) != 0)
    return failure(OpenFault::in_use,
                   fmt::format("another process has {} open ({} is locked)", path, lock_path));
  // SQLite gives its log and shared memory the mode of the database, so only this one must be made.
  const int made = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0)
    return failure(OpenFault::cannot_read,
                   fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  close(made);
  return file;
}

JournalFile::JournalFile(JournalFile&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}

JournalFile& JournalFile::operator=(JournalFile&& other) noexcept {
  std::swap(lock_, other.lock_);
  return *this;
}

JournalFile::~JournalFile() {
  if (lock_ >= 0) close(lock_);
}

DiskSpace disk_space(const std::string& path) {
  struct statvfs info{};
  if (statvfs(directory_of(path).c_str(), &info) != 0) return {};
  return {static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize,
          static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize};
}

std::uint64_t file_bytes(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace vesper
