#include "stages/decode/decoder.hpp"

#include <utility>

#include <fmt/format.h>

#include "stages/decode/faults.hpp"
#include "stages/decode/syntaxes.hpp"

namespace vesper {
namespace {

DecodeFault not_parseable(std::string_view syntax, std::string_view source, std::size_t offset,
                          std::string_view reason) {
  const TextPosition at = position_of(source, offset);
  return {false,
          {{Severity::error,
            IssueCode::structure,
            IssueKind::none,
            fmt::format("Not {}: {} at line {}, column {} (byte {}).", syntax, reason, at.line,
                        at.column, offset),
            {}}}};
}

}  // namespace

std::expected<Diary, DecodeFault> Decoder::decode(MediaType media, std::string_view source,
                                                  Arena& arena, Strictness strictness) const {
  Diary diary;
  diary.media = media;
  decoding::Faults faults;
  const auto root = parse_json(source, arena);
  if (!root)
    return std::unexpected(not_parseable("JSON", source, root.error().offset, root.error().reason));
  if (media == MediaType::fhir) {
    decoding::read_fhir_response(**root, strictness, arena, faults, diary);
  } else {
    decoding::read_json_diary(**root, arena, faults, diary);
  }
  if (!faults.empty()) return std::unexpected(DecodeFault{true, faults.take()});
  return diary;
}

}  // namespace vesper
