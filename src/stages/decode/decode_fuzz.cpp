// One target for all four syntaxes: the first byte chooses. Whatever the bytes: no crash, an answer
// in bounds, a fault that says something, and XML that passes the gate is taken by the library.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "stages/decode/decoder.hpp"

namespace {

using namespace vesper;

void touch(std::span<RawAnswer> answers) {
  for (const auto& answer : answers) {
    ensure(valid_utf8(answer.field));
    for (const auto& value : answer.values) ensure(valid_utf8(value.text.reveal()));
    for (const auto& row : answer.rows) touch(row);
  }
}

void touch(std::span<ResponseItem> items) {
  for (const auto& item : items) {
    ensure(valid_utf8(item.link_id.reveal()));
    for (const auto& answer : item.answers) {
      ensure(valid_utf8(answer.value.text.reveal()));
      touch(answer.items);
    }
    touch(item.items);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static Arena arena;
  arena.reset();
  const auto media = static_cast<MediaType>(1 + data[0] % 4);
  const std::string_view source{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto strictness = data[0] % 8 < 4 ? Strictness::intake : Strictness::form_only;
  const auto diary = Decoder{}.decode(media, source, arena, strictness);
  if (diary) {
    touch(diary->raw);
    touch(diary->items);
    return 0;
  }
  ensure(!diary.error().issues.empty() && diary.error().issues.size() <= 101);
  for (const auto& issue : diary.error().issues) {
    ensure(!issue.diagnostics.empty() && valid_utf8(issue.diagnostics));
    ensure(issue.diagnostics.find("the library does not take it") == std::string::npos);
    ensure(valid_utf8(issue.expression));
  }
  return 0;
}
