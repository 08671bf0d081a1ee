#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vesper {

/// Memory of one diary: bump allocation, freed all at once by reset(), blocks kept for the next
/// one.
///   Shape:  only trivially destructible things live in it; views into it die at reset().
///   Bounds: grows in blocks of 16 KiB or the size asked for; reset() keeps at most 64 KiB.
///   Thread: one owner.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  [[nodiscard]] void* allocate(std::size_t size, std::size_t align) {
    auto at = (reinterpret_cast<std::uintptr_t>(next_) + align - 1) & ~(align - 1);
    if (next_ == nullptr || at + size > reinterpret_cast<std::uintptr_t>(end_)) [[unlikely]] {
      grow(size + align);
      at = (reinterpret_cast<std::uintptr_t>(next_) + align - 1) & ~(align - 1);
    }
    next_ = reinterpret_cast<char*>(at + size);
    return reinterpret_cast<void*>(at);
  }

  /// `count` value-initialised elements.
  template <class T>
  [[nodiscard]] std::span<T> array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* first = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
    for (std::size_t i = 0; i < count; ++i) new (first + i) T();
    return {first, count};
  }

  [[nodiscard]] std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* p = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(p, text.data(), text.size());
    return {p, text.size()};
  }

  void reset() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      kept += blocks_[i].size;
      if (kept > kept_bytes_max) {
        blocks_.resize(i == 0 ? 0 : i);
        break;
      }
    }
    current_ = 0;
    if (blocks_.empty()) {
      next_ = end_ = nullptr;
    } else {
      use(0);
    }
  }

 private:
  static constexpr std::size_t block_bytes = 16 * 1024, kept_bytes_max = 64 * 1024;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  void use(std::size_t index) {
    current_ = index;
    next_ = blocks_[index].bytes.get();
    end_ = next_ + blocks_[index].size;
  }
  void grow(std::size_t least) {
    for (std::size_t i = next_ == nullptr ? 0 : current_ + 1; i < blocks_.size(); ++i)
      if (blocks_[i].size >= least) return use(i);
    const std::size_t size = least > block_bytes ? least : block_bytes;
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    use(blocks_.size() - 1);
  }
  std::vector<Block> blocks_;
  std::size_t current_ = 0;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

/// A list whose length is not known beforehand, living in an Arena.
///   Bounds: doubles its room; what it outgrows stays in the arena until reset().
template <class T>
class ArenaList {
 public:
  explicit ArenaList(Arena& arena) : arena_(&arena) {}
  T& push(const T& value) {
    if (size_ == room_.size()) {
      auto larger = arena_->array<T>(room_.empty() ? 8 : room_.size() * 2);
      for (std::size_t i = 0; i < size_; ++i) larger[i] = room_[i];
      room_ = larger;
    }
    return room_[size_++] = value;
  }
  [[nodiscard]] std::span<T> items() { return room_.first(size_); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Arena* arena_;
  std::span<T> room_{};
  std::size_t size_ = 0;
};

}  // namespace vesper
