#pragma once
#include <string_view>

#include "base/arena.hpp"
#include "base/json.hpp"
#include "stages/decode/decoder.hpp"
#include "stages/decode/faults.hpp"

namespace vesper::decoding {

// One function a syntax: fills `diary` from a parsed document; what is wrong goes to `faults`.
void read_json_diary(const JsonValue& root, Arena& arena, Faults& faults, Diary& diary);
void read_fhir_response(const JsonValue& root, Strictness strictness, Arena& arena, Faults& faults,
                        Diary& diary);

/// Entries of an `answers` object, or of one row of a repeating group.
std::span<RawAnswer> read_json_answers(const JsonValue& object, const Where& where, Arena& arena,
                                       Faults& faults);

/// The `item` list of a QuestionnaireResponse, an item or an answer.
std::span<ResponseItem> read_response_items(const JsonValue& owner, const Where& where,
                                            Arena& arena, Faults& faults);

}  // namespace vesper::decoding
