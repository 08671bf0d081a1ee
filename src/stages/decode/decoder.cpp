#include "stages/decode/decoder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "stages/decode/faults.hpp"
#include "stages/decode/syntaxes.hpp"
#include "stages/decode/xml_gate.hpp"
#include "stages/decode/xml_tree.hpp"

namespace vesper {
namespace {

DecodeFault not_parseable(std::string_view syntax, std::string_view source, std::size_t offset,
                          std::string_view reason) {
  const TextPosition at = position_of(source, offset);
  return {.parseable = false,
          .issues = {{Severity::error,
                      IssueCode::structure,
                      IssueKind::none,
                      fmt::format("Not {}: {} at line {}, column {} (byte {}).", syntax, reason,
                                  at.line, at.column, offset),
                      {}}}};
}

DecodeFault::StatedId stated_id(const Diary& diary, const Issues& issues) {
  if (diary.submission_id) return DecodeFault::StatedId::given;
  const bool told = std::ranges::any_of(issues, [](const Issue& issue) {
    return issue.expression == "submissionId" ||
           issue.expression == "QuestionnaireResponse.identifier.value";
  });
  return told ? DecodeFault::StatedId::malformed : DecodeFault::StatedId::absent;
}

using Parsed = std::expected<void, DecodeFault>;

Parsed read_json(std::string_view source, Strictness strictness, Arena& arena,
                 decoding::Faults& faults, Diary& diary) {
  const auto root = parse_json(source, arena);
  if (!root)
    return std::unexpected(not_parseable("JSON", source, root.error().offset, root.error().reason));
  if (diary.media == MediaType::fhir) {
    decoding::read_fhir_response(**root, strictness, arena, faults, diary);
  } else {
    decoding::read_json_diary(**root, arena, faults, diary);
  }
  return {};
}

Parsed read_xml(std::string_view source, Arena& arena, decoding::Faults& faults, Diary& diary) {
  if (const auto fault = decoding::check_xml(source))
    return std::unexpected(not_parseable("XML", source, fault->offset, fault->reason));
  if (source.starts_with("\xef\xbb\xbf")) source.remove_prefix(3);
  // The library decodes in place, so names and texts stay in this copy when the tree is gone.
  char* const copy = static_cast<char*>(arena.allocate(source.size(), 1));
  source.copy(copy, source.size());
  pugi::xml_document document;
  const auto result = document.load_buffer_inplace(
      copy, source.size(), pugi::parse_default | pugi::parse_ws_pcdata, pugi::encoding_utf8);
  if (!result)
    return std::unexpected(not_parseable("XML", source, static_cast<std::size_t>(result.offset),
                                         "the library does not take it"));
  decoding::XmlWalk walk{document.document_element(), decoding::LineCounter{source}, arena, faults};
  if (diary.media == MediaType::odm) {
    decoding::read_odm_diary(walk, diary);
  } else {
    decoding::read_xml_diary(walk, diary);
  }
  return {};
}

}  // namespace

std::expected<Diary, DecodeFault> Decoder::decode(MediaType media, std::string_view source,
                                                  Arena& arena, Strictness strictness) const {
  Diary diary;
  diary.media = media;
  decoding::Faults faults;
  const bool is_json = media == MediaType::json || media == MediaType::fhir;
  auto parsed = is_json ? read_json(source, strictness, arena, faults, diary)
                        : read_xml(source, arena, faults, diary);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  if (!faults.empty()) {
    DecodeFault fault{.parseable = true, .issues = faults.take()};
    fault.stated_id = stated_id(diary, fault.issues);
    return std::unexpected(std::move(fault));
  }
  return diary;
}

}  // namespace vesper
