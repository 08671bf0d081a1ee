#pragma once
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace vesper {

/// Appends JSON text to a string without looking at its capacity for every piece.
///   Shape:  pieces are copied as they are; only put_escaped() looks at characters. finish() once.
///   Bounds: the string doubles; a sink whose string already has the room allocates nothing.
class JsonSink {
 public:
  /// A piece written before, to be written again.
  struct Written {
    std::size_t at = 0, size = 0;
  };

  JsonSink(std::string& out, std::size_t room) : out_(out), size_(out.size()) { grow(room); }
  JsonSink(const JsonSink&) = delete;
  JsonSink& operator=(const JsonSink&) = delete;

  void put(std::string_view piece) {
    if (room_ < piece.size()) [[unlikely]]
      grow(piece.size());
    std::memcpy(next_, piece.data(), piece.size());
    took(piece.size());
  }
  void put(char c) {
    if (room_ == 0) [[unlikely]]
      grow(1);
    *next_ = c;
    took(1);
  }
  /// The inside of a JSON string; `text` is valid UTF-8.
  void put_escaped(std::string_view text);

  [[nodiscard]] std::size_t at() const { return size_; }
  [[nodiscard]] Written since(std::size_t start) const { return {start, size_ - start}; }
  void put_again(Written piece) {
    if (room_ < piece.size) [[unlikely]]
      grow(piece.size);
    std::memcpy(next_, out_.data() + piece.at, piece.size);
    took(piece.size);
  }
  void finish() { out_.resize(size_); }

 private:
  void took(std::size_t count) {
    next_ += count;
    size_ += count;
    room_ -= count;
  }
  void grow(std::size_t count);

  std::string& out_;
  std::size_t size_;
  char* next_ = nullptr;
  std::size_t room_ = 0;
};

}  // namespace vesper
