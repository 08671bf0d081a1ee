#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace vesper {

enum class FileFault : std::uint8_t {
  not_found,
  not_permitted,
  readable_by_others,  ///< group or others may read or write it
  too_large,
  not_a_file,  ///< a directory, a device, a pipe
  failed       ///< an I/O error, or no room
};

/// Tells one content of a path from the next without reading it.
struct FileStamp {
  std::int64_t modified_ns = 0;
  std::uint64_t size_bytes = 0, inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

enum class Secrecy : std::uint8_t { any, owner_only };

/// Small files, read and replaced whole: key sets, secrets, kept state. Not the journal.
///   Thread: any; blocks for the disk, so never on a shard.
class FileStore {
 public:
  virtual ~FileStore() = default;
  /// Links are followed. `owner_only` judges the very file that is read.
  [[nodiscard]] virtual std::expected<std::string, FileFault> read(const std::string& path,
                                                                   std::size_t bytes_max,
                                                                   Secrecy secrecy) = 0;
  /// All or nothing, also across a power loss; the file is its owner's alone (0600).
  [[nodiscard]] virtual std::expected<void, FileFault> replace(const std::string& path,
                                                               std::string_view bytes) = 0;
  /// At the end of a file that is its owner's alone, made when it is absent; synced.
  ///   Errors: readable_by_others; after `failed` a part of `bytes` may stand there.
  [[nodiscard]] virtual std::expected<void, FileFault> append(const std::string& path,
                                                              std::string_view bytes) = 0;
  [[nodiscard]] virtual std::expected<FileStamp, FileFault> stamp(const std::string& path) = 0;
  /// Whether nobody but its owner may read or write a file, such as the journal's.
  ///   A file of root's may also be readable by its group: so do packages hand secrets out.
  [[nodiscard]] virtual std::expected<void, FileFault> owner_only(const std::string& path) = 0;
};

[[nodiscard]] constexpr std::string_view text_of(FileFault fault) {
  switch (fault) {
    case FileFault::not_found:
      return "there is no such file";
    case FileFault::not_permitted:
      return "the file may not be read or written by this process";
    case FileFault::readable_by_others:
      return "others than its owner can read or write the file: chmod 600";
    case FileFault::too_large:
      return "the file is too large";
    case FileFault::not_a_file:
      return "not a regular file";
    case FileFault::failed:
      return "the file could not be read or written";
  }
  return {};
}

}  // namespace vesper
