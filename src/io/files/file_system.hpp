#pragma once
#include "ports/file_store.hpp"

namespace vesper {

/// FileStore on POSIX files: a new file beside the old one, synced, renamed over it, and the
/// directory synced.
///   Thread: any; no state.
class FileSystem final : public FileStore {
 public:
  std::expected<std::string, FileFault> read(const std::string& path, std::size_t bytes_max,
                                             Secrecy secrecy) override;
  std::expected<void, FileFault> replace(const std::string& path, std::string_view bytes) override;
  [[nodiscard]] std::expected<void, FileFault> append(const std::string& path,
                                                      std::string_view bytes) override;
  std::expected<FileStamp, FileFault> stamp(const std::string& path) override;
  std::expected<void, FileFault> owner_only(const std::string& path) override;
};

}  // namespace vesper
