#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/uuid.hpp"
#include "base/wall_time.hpp"
#include "model/patient_text.hpp"

namespace vesper {

/// The syntaxes intake reads; the number is stored with each diary and never changes its meaning.
enum class MediaType : std::uint8_t { json = 1, xml = 2, odm = 3, fhir = 4 };

/// The type of one value as its syntax stated it. `raw_*`: the form's item decides what it is.
enum class ValueKind : std::uint8_t {
  none,
  raw_text,
  raw_number,
  boolean,
  integer,
  decimal,
  date,
  date_time,
  time,
  string,
  uri,
  attachment,
  coding,
  quantity,
  reference
};

/// One value. Numbers keep their digits as sent; nothing is rounded or reformatted.
struct Value {
  ValueKind kind = ValueKind::none;
  bool boolean = false;
  bool has_value = true;  ///< quantity: `value` present; attachment: `data` present
  PatientText text;     ///< digits, string, date, code of a coding, digits of a quantity, url of an
                        ///< attachment or `reference` of a reference
  PatientText system;   ///< coding and quantity
  PatientText display;  ///< coding; title of an attachment; unit of a quantity
  PatientText code;     ///< quantity: coded unit; attachment: contentType
  PatientText data;     ///< attachment: base64 as sent
  PatientText comparator;        ///< quantity
  std::int64_t size_bytes = -1;  ///< attachment: size, -1 when not stated
};

struct ResponseItem;

/// QuestionnaireResponse.item.answer.
struct ResponseAnswer {
  Value value;
  std::span<ResponseItem> items;
};

/// QuestionnaireResponse.item, as sent (FHIR) or as shaped by the form from a raw diary.
struct ResponseItem {
  PatientText link_id;
  PatientText text;
  std::span<ResponseAnswer> answers;
  std::span<ResponseItem> items;
  bool has_answer_member = false, has_item_member = false;
};

/// One entry of `answers` of a raw diary (JSON, XML, ODM): values, or rows of a repeating group.
struct RawAnswer {
  std::string_view field;
  std::span<Value> values;               ///< skipped: empty
  std::span<std::span<RawAnswer>> rows;  ///< a repeating group: one element a repetition
  bool is_array = false;                 ///< JSON: an array was sent
  std::uint32_t at = 0;                  ///< offset (JSON) or line (XML, ODM) in the source
};

enum class ResponseStatus : std::uint8_t {
  completed,
  amended,
  in_progress,
  stopped,
  entered_in_error
};

struct Device {
  PatientText id, app;
  std::optional<int> utc_offset_minutes;
};

/// What was sent, before any form has judged it. Views into the source bytes or the diary's arena.
///   Shape: exactly one of `raw` and `items` is in use: `is_fhir` tells.
struct Diary {
  MediaType media = MediaType::json;
  bool is_fhir = false;
  std::optional<Uuid> submission_id;  ///< as the document states it
  PatientText trial_id;               ///< empty for FHIR: the token or ?trial= decides
  PatientText subject_id;
  std::string_view form_id, form_version;  ///< raw and ODM
  std::string_view questionnaire;          ///< FHIR: canonical|version as sent
  PatientText authored_text;               ///< as sent
  ParsedDateTime authored{};
  std::string_view language;
  Device device;
  std::optional<Uuid> amends;
  PatientText amend_reason;
  ResponseStatus status = ResponseStatus::completed;
  PatientText author_reference;  ///< FHIR: author.reference or identifier value, if any
  std::span<RawAnswer> raw;
  std::span<ResponseItem> items;
};

}  // namespace vesper
