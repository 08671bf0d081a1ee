#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "io/http/request_parser.hpp"

namespace vesper {

/// Takes the chunked transfer coding off a body, strictly.
///   Shape:  pure; feed what arrived, in any cut. Extensions and trailers are checked and dropped.
///   Bounds: the body limit_bytes (announced chunks count), extensions and trailers as below.
///   Errors: 400; 413 as soon as a chunk is announced that passes the limit; 431 for trailers.
///   Source: RFC 9112 section 7.1. Blanks around sizes and extensions are refused.
class ChunkedDecoder {
 public:
  static constexpr std::size_t extension_bytes_max = 1024;    ///< in one body
  static constexpr std::size_t trailer_bytes_max = 4 * 1024;  ///< in one body
  static constexpr int size_digits_max = 16;                  ///< cannot overflow 64 bits

  explicit ChunkedDecoder(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  struct Step {
    ParseState state = ParseState::more;
    std::size_t consumed = 0;  ///< of `in`; the rest, when complete, is the next request
    std::string_view data;     ///< a run of the body, views `in`
    HttpFault fault;
  };
  /// Advances to the next run of data, the end of the body, a fault, or the end of `in`.
  [[nodiscard]] Step next(std::string_view in);

 private:
  enum class At : std::uint8_t {
    size_first,
    size,
    extension_name_first,
    extension_name,
    extension_value_first,
    extension_value,
    quoted,
    quoted_escape,
    quoted_end,
    size_lf,
    data,
    data_cr,
    data_lf,
    line,
    name,
    value,
    value_lf,
    end_lf,
    done
  };
  HttpFault take(char c);
  HttpFault take_size(char c);
  HttpFault take_extension(char c);
  HttpFault take_trailer(char c);
  HttpFault end_size_line();
  HttpFault end_name();

  static constexpr std::size_t name_room = 24;
  std::uint64_t limit_bytes_;
  std::uint64_t decoded_ = 0;
  std::uint64_t left_ = 0;  ///< of the chunk
  std::size_t extension_bytes_ = 0, trailer_bytes_ = 0;
  int digits_ = 0;
  At at_ = At::size_first;
  std::uint8_t name_size_ = 0;
  char name_[name_room];  ///< start of a trailer's name, lower case
};

}  // namespace vesper
