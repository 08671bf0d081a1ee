#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace vesper {

/// Reads one HTTP/1.x response, byte by byte or all at once, and nothing behind it.
///   Shape: interim responses (1xx but 101) are passed over, at most eight. After `done`, bytes
///   that feed() did not take belong to nobody: the connection must not be used again.
///   Bounds: head 16 KiB, 64 header lines; `keep_max` bytes of the body are kept, `read_max` are
///   read.
///   Errors: Progress::bad for anything but strict syntax: bare CR or LF, folded lines, blanks
///   before a colon, NUL, several or signed lengths, a length beside chunks, an unknown coding.
///   Source: RFC 9112. Why: a lenient reader and a proxy may disagree about where a reply ends.
class ResponseParser {
 public:
  enum class Progress : std::uint8_t { more, done, bad };

  ResponseParser(std::size_t keep_max, std::size_t read_max)
      : keep_max_(keep_max), read_max_(read_max) {}

  void reset();
  /// Takes bytes from `in`; what is left in `in` was not needed.
  Progress feed(std::string_view& in);
  /// The peer has closed.
  Progress end();

  [[nodiscard]] bool started() const { return stage_ != Stage::head || !head_.empty() || interim_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] bool cut_short() const { return cut_short_; }    ///< more than keep_max came
  [[nodiscard]] bool unfinished() const { return unfinished_; }  ///< more than read_max came
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  /// The whole head of the final response, lines ended by CRLF, without the empty one.
  [[nodiscard]] std::string_view head() const { return head_; }
  /// The first value of a header, blanks trimmed; empty when it is absent.
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;

  /// Receives each piece of the body, also what is not kept.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void take(std::string_view piece) = 0;
  };
  void set_sink(Sink* sink) { sink_ = sink; }

 private:
  enum class Stage : std::uint8_t {
    head,
    counted,
    to_close,
    chunk_size,
    chunk,
    chunk_end,
    trailer,
    done,
    bad
  };

  Progress take_head(std::string_view& in);
  Progress head_complete();
  bool parse_head();
  bool status_line(std::string_view line);
  bool header_line(std::string_view line);
  Progress take_counted(std::string_view& in);
  Progress take_chunked(std::string_view& in);
  /// Moves a CRLF-ended line from `in` into line_; false while it is incomplete.
  bool take_line(std::string_view& in);
  bool chunk_line();
  void body_piece(std::string_view piece);
  Progress fail();
  Progress finish();

  std::size_t keep_max_, read_max_;
  Stage stage_ = Stage::head;
  std::string head_, body_, line_;
  std::uint64_t left_ = 0;
  std::size_t read_ = 0, trailer_bytes_ = 0;
  int status_ = 0, interim_ = 0, lengths_ = 0;
  std::uint64_t length_ = 0;
  bool chunked_ = false, keep_alive_ = true, close_asked_ = false, keep_asked_ = false;
  bool cut_short_ = false, unfinished_ = false, http_1_0_ = false;
  Sink* sink_ = nullptr;
};

}  // namespace vesper
