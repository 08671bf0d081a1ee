#include "surge/diary_template.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "base/arena.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/uuid.hpp"

namespace vesper::surge {

void format_subject(std::uint32_t patient, char* out) {
  out[0] = 'S';
  out[1] = '-';
  for (std::size_t i = subject_chars; i-- > 2; patient /= 10)
    out[i] = static_cast<char>('0' + patient % 10);
}

std::expected<DiaryTemplate, std::string> make_diary_template(std::string_view diary,
                                                              std::string_view trial) {
  Arena arena;
  const auto document = parse_json(diary, arena);
  if (!document)
    return std::unexpected(
        fmt::format("at byte {}: {}", document.error().offset, document.error().reason));
  if (!(*document)->is(JsonKind::object)) return std::unexpected("is not a JSON object");
  DiaryTemplate out;
  out.body = R"({"submissionId":")";
  out.id_at = out.body.size();
  out.body.append(uuid_chars, '0');
  out.body += R"(","trialId":")";
  append_json_escaped(out.body, trial);
  out.body += R"(","subjectId":")";
  out.subject_at = out.body.size();
  out.body.append(subject_chars, '0');
  out.body += '"';
  // The other members as they were written, each from its name to the end of its value.
  for (const JsonValue& member : **document) {
    if (member.name == "submissionId" || member.name == "trialId" || member.name == "subjectId")
      continue;
    out.body += ",\"";
    append_json_escaped(out.body, member.name);
    out.body += "\":";
    switch (member.kind) {
      case JsonKind::null:
        out.body += "null";
        break;
      case JsonKind::boolean:
        out.body += member.boolean ? "true" : "false";
        break;
      case JsonKind::string:
        out.body += '"';
        append_json_escaped(out.body, member.text);
        out.body += '"';
        break;
      default:
        out.body += member.text;
    }
  }
  out.body += '}';
  return out;
}

}  // namespace vesper::surge
