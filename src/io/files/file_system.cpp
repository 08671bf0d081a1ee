#include "io/files/file_system.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vesper {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  [[nodiscard]] int get() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

FileFault fault_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return FileFault::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return FileFault::not_permitted;
    case EISDIR:
    case ENXIO:
      return FileFault::not_a_file;
    default:
      return FileFault::failed;
  }
}

// A file of ours is ours alone. One of root's, handed to this process by its group, may be readable
// by that group: PostgreSQL's rule for its key file, and for the same reason.
bool exposed(const struct stat& info) {
  if (info.st_uid != ::geteuid() && info.st_uid == 0)
    return (info.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0;
  return (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

std::expected<void, FileFault> judge(const struct stat& info, Secrecy secrecy) {
  if (!S_ISREG(info.st_mode)) return std::unexpected(FileFault::not_a_file);
  if (secrecy == Secrecy::owner_only && exposed(info))
    return std::unexpected(FileFault::readable_by_others);
  return {};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return fd.get() >= 0 && ::fsync(fd.get()) == 0;
}

}  // namespace

std::expected<std::string, FileFault> FileSystem::read(const std::string& path,
                                                       std::size_t bytes_max, Secrecy secrecy) {
  // O_NONBLOCK: opening a pipe by mistake must not wait for a writer.
  const Descriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (fd.get() < 0) return std::unexpected(fault_of(errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return std::unexpected(FileFault::failed);
  if (auto good = judge(info, secrecy); !good) return std::unexpected(good.error());
  std::string bytes;
  char block[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(FileFault::failed);
    if (got == 0) return bytes;
    bytes.append(block, static_cast<std::size_t>(got));
    if (bytes.size() > bytes_max) return std::unexpected(FileFault::too_large);
  }
}

std::expected<void, FileFault> FileSystem::replace(const std::string& path,
                                                   std::string_view bytes) {
  std::string beside = path + ".XXXXXX";
  Descriptor fd{::mkostemp(beside.data(), O_CLOEXEC)};  // made with mode 0600
  if (fd.get() < 0) return std::unexpected(fault_of(errno));
  const bool written = write_all(fd.get(), bytes) && ::fsync(fd.get()) == 0 && fd.close();
  if (!written || ::rename(beside.c_str(), path.c_str()) != 0) {
    const FileFault fault = fault_of(errno);
    ::unlink(beside.c_str());
    return std::unexpected(fault);
  }
  if (!sync_directory_of(path)) return std::unexpected(FileFault::failed);
  return {};
}

std::expected<void, FileFault> FileSystem::append(const std::string& path, std::string_view bytes) {
  Descriptor fd{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
                       S_IRUSR | S_IWUSR)};
  if (fd.get() < 0) return std::unexpected(fault_of(errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return std::unexpected(FileFault::failed);
  if (auto good = judge(info, Secrecy::owner_only); !good) return good;
  if (!write_all(fd.get(), bytes) || ::fsync(fd.get()) != 0 || !fd.close())
    return std::unexpected(FileFault::failed);
  if (info.st_size == 0 && !sync_directory_of(path)) return std::unexpected(FileFault::failed);
  return {};
}

std::expected<FileStamp, FileFault> FileSystem::stamp(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::unexpected(fault_of(errno));
  if (auto good = judge(info, Secrecy::any); !good) return std::unexpected(good.error());
  return FileStamp{info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec,
                   static_cast<std::uint64_t>(info.st_size), info.st_ino};
}

std::expected<void, FileFault> FileSystem::owner_only(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::unexpected(fault_of(errno));
  return judge(info, Secrecy::owner_only);
}

}  // namespace vesper
