#pragma once
#include <expected>
#include <memory>
#include <string_view>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "model/issue.hpp"

namespace vesper {

/// Why bytes are no diary.
///   Shape: not parseable (400): one issue with line, column and byte offset. Parseable, but not
///   what the syntax's diary needs (422, or 400 without a good submission id): one issue a fault
///   with its path, at most 100.
struct DecodeFault {
  bool parseable = false;
  Issues issues;
  enum class StatedId : std::uint8_t {
    absent,
    malformed,
    given
  } stated_id = StatedId::absent;  ///< what the document says of its submission id
};

/// What a document must state beside its answers.
enum class Strictness : std::uint8_t {
  intake,    ///< form, subject, authored, for FHIR also a version and a final status
  form_only  ///< `vesper check`: the answers and the status; the rest may be absent
};

/// Turns the bytes of one diary into a Diary, whatever its syntax.
///   Shape:  the Diary's views point into `source` or `arena`, never into the decoder: a coroutine
///   may suspend while the next diary of the shard is decoded.
///   Bounds: nesting of 64; 100 issues; numbers of 64 characters; trial, form and version 64 bytes,
///   subject and device members 128, reason 1,000. No operator new when the diary is in order.
///   Errors: DecodeFault. Answers are not judged here: only a form can.
///   Thread: one owner (a shard).
class Decoder {
 public:
  [[nodiscard]] std::expected<Diary, DecodeFault> decode(
      MediaType media, std::string_view source, Arena& arena,
      Strictness strictness = Strictness::intake) const;
};

}  // namespace vesper
