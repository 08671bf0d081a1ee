#pragma once
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace vesper {

/// True when `text` has no character but white space, which FHIR takes for no text at all.
///   Source: Unicode White_Space, and U+FEFF.
[[nodiscard]] bool is_blank(std::string_view text);

/// Appends JSON text to a string without looking at its capacity for every character.
///   Shape:  pieces are copied as they are; only put_escaped() looks at characters. finish() once.
///   Bounds: the string doubles; one that already has the room is not allocated again.
class JsonSink {
 public:
  /// A piece written before, to be written again.
  struct Written {
    std::size_t at = 0, size = 0;
  };

  JsonSink(std::string& out, std::size_t room) : out_(out), next_(nullptr), end_(nullptr) {
    grow(out.size(), room);
  }
  JsonSink(const JsonSink&) = delete;
  JsonSink& operator=(const JsonSink&) = delete;

  /// Writes the pieces one after another. Inlined, so that literals become plain moves.
  template <class... Pieces>
  [[gnu::always_inline]] void put(const Pieces&... pieces) {
    put_views(std::string_view{pieces}...);
  }
  void put(char c) {
    if (next_ == end_) [[unlikely]]
      grow(at(), 1);
    *next_++ = c;
  }
  /// The inside of a JSON string; `text` is valid UTF-8.
  void put_escaped(std::string_view text);

  [[nodiscard]] std::size_t at() const { return static_cast<std::size_t>(next_ - out_.data()); }
  [[nodiscard]] Written since(std::size_t start) const { return {start, at() - start}; }
  void put_again(Written piece) {
    if (static_cast<std::size_t>(end_ - next_) < piece.size) [[unlikely]]
      grow(at(), piece.size);
    std::memcpy(next_, out_.data() + piece.at, piece.size);
    next_ += piece.size;
  }
  void finish() { out_.resize(at()); }

 private:
  template <class... Views>
  [[gnu::always_inline]] void put_views(Views... views) {
    const std::size_t total = (views.size() + ...);
    if (static_cast<std::size_t>(end_ - next_) < total) [[unlikely]]
      grow(at(), total);
    char* to = next_;
    ((std::memcpy(to, views.data(), views.size()), to += views.size()), ...);
    next_ = to;
  }
  void grow(std::size_t used, std::size_t count);

  std::string& out_;
  char* next_;
  char* end_;
};

}  // namespace vesper
