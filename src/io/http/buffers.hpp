#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/queue_figures.hpp"
#include "io/http/http_limits.hpp"
#include "ports/http_service.hpp"

namespace vesper {

/// What all shards of one listener hold together.
///   Shape:  ceilings may change at any time; what is open stays open. Past those on trial is only
///           counted.
///   Thread: any.
struct HttpLoad {
  static constexpr std::size_t no_ceiling = SIZE_MAX;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> bytes{0};
  HighWater connections_most, bytes_most;
  std::atomic<std::size_t> connections_max{no_ceiling}, bytes_max{no_ceiling};
  std::atomic<std::size_t> connections_tried{no_ceiling}, bytes_tried{no_ceiling};
};

/// A piece of memory of a connection; empty when there is none.
struct Block {
  Block() = default;
  explicit Block(std::size_t bytes_wanted)
      : bytes(std::make_unique_for_overwrite<char[]>(bytes_wanted)), size(bytes_wanted) {}
  Block(Block&& other) noexcept
      : bytes(std::move(other.bytes)), size(std::exchange(other.size, 0)) {}
  Block& operator=(Block&& other) noexcept {
    bytes = std::move(other.bytes);
    size = std::exchange(other.size, 0);
    return *this;
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
  [[nodiscard]] explicit operator bool() const { return bytes != nullptr; }
};

/// Read buffers of one shard. Those of the usual size are kept for the next request.
///   Bounds: what it has from the system counts against the load's bytes_max, over all shards;
///           trim() gives back what was not needed lately.
///   Errors: an empty block when the bound is reached.
///   Thread: the shard's.
class BlockPool {
 public:
  static constexpr std::size_t block_bytes = 8 * 1024;

  explicit BlockPool(std::shared_ptr<HttpLoad> load) : load_(std::move(load)) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool() { trim(0); }

  [[nodiscard]] Block take(std::size_t size = block_bytes);
  void give_back(Block block);
  void trim(std::size_t keep);
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  /// Blocks, since the last time, past a ceiling on trial.
  [[nodiscard]] std::size_t take_past_tried() { return std::exchange(past_tried_, 0); }

 private:
  std::shared_ptr<HttpLoad> load_;
  std::vector<Block> free_;
  std::size_t in_use_ = 0, past_tried_ = 0;
};

/// All that serving one request needs beside its bytes.
struct Work {
  Exchange exchange;
  std::array<Header, header_room> headers;
  std::string out;  ///< head of the answer, and its body when small
  Block body;       ///< a body that does not fit beside its head
  std::size_t body_bytes = 0;

  void prepare();
};

/// Work of one shard, reused from request to request, the last used first.
///   Thread: the shard's.
class WorkPool {
 public:
  [[nodiscard]] std::unique_ptr<Work> take();
  void give_back(std::unique_ptr<Work> work);
  void trim(std::size_t keep);

 private:
  static constexpr std::size_t text_bytes_kept = 64 * 1024;
  std::vector<std::unique_ptr<Work>> free_;
};

}  // namespace vesper
