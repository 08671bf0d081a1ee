// Feeds arbitrary answers to shape and check. Promises: no crash, no fault without a place, the
// bound on issues holds, and what is accepted raw is accepted as the FHIR it became.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/ensure.hpp"
#include "stages/fhir/check/check.hpp"
#include "stages/fhir/check/check_test_generator.hpp"
#include "stages/fhir/check/judge.hpp"
#include "stages/fhir/check/score.hpp"

namespace {

using namespace vesper;

constexpr std::uint64_t forms = 16;

test::Generator& generated(std::uint8_t seed) {
  static const auto all = [] {
    std::vector<std::unique_ptr<test::Generator>> made;
    for (std::uint64_t i = 0; i < forms; ++i) {
      made.push_back(std::make_unique<test::Generator>(i + 1));
      Form& form = made.back()->form_to_change();
      Score score;
      for (std::uint32_t item = 0; item < form.items.size(); item += 3) score.items.push_back(item);
      form.scores = {score};
      for (auto& item : form.items)
        if (item.type == ItemType::text) item.regex = "[a-z]*(x|y)?.*";
      Issues ignored;
      form.check_plan = make_check_plan(form, ignored);
    }
    return made;
  }();
  return *all[seed % forms];
}

// Draws from the input; zeros once it is used up.
class Source {
 public:
  Source(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  std::string_view text() {
    const std::size_t length = std::min<std::size_t>(byte() % 24, size_);
    const std::string_view view(reinterpret_cast<const char*>(data_), length);
    data_ += length;
    size_ -= length;
    return view;
  }
  [[nodiscard]] bool done() const { return size_ == 0; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

class Drawer {
 public:
  Drawer(Source& source, const Form& form, Arena& arena)
      : source_(source), form_(form), arena_(arena) {}

  std::string_view name() {
    const auto pick = source_.byte();
    if (pick > 240) return source_.text();
    return form_.items[pick % form_.items.size()].link_id;
  }
  Value value(bool raw) {
    Value v;
    const auto pick = source_.byte();
    v.kind = raw ? raw_kinds[pick % std::size(raw_kinds)] : static_cast<ValueKind>(pick % 15);
    v.boolean = (pick & 0x40) != 0;
    v.has_value = (pick & 0x80) == 0;
    v.text = PatientText{text()};
    if ((pick & 0x20) != 0) {
      v.system = PatientText{(pick & 0x10) != 0 ? "urn:test" : source_.text()};
      v.display = PatientText{source_.text()};
      v.code = PatientText{source_.text()};
      v.data = PatientText{source_.text()};
    }
    return v;
  }
  std::span<RawAnswer> answers(int depth) {
    ArenaList<RawAnswer> list(arena_);
    for (int i = source_.byte() % 12; i > 0 && !source_.done(); --i) {
      RawAnswer answer;
      answer.field = name();
      const auto shape = source_.byte();
      answer.is_array = (shape & 1) != 0;
      if ((shape & 2) != 0 && depth < 4) {
        answer.rows = arena_.array<std::span<RawAnswer>>(shape % 4);
        for (auto& row : answer.rows) row = answers(depth + 1);
      }
      if ((shape & 4) == 0) {
        answer.values = arena_.array<Value>(shape % 3);
        for (auto& v : answer.values) v = value(true);
      }
      list.push(answer);
    }
    return list.items();
  }
  std::span<ResponseItem> items(int depth) {
    ArenaList<ResponseItem> list(arena_);
    for (int i = source_.byte() % 8; i > 0 && !source_.done() && depth < 40; --i) {
      ResponseItem item;
      item.link_id = PatientText{name()};
      const auto shape = source_.byte();
      item.has_answer_member = (shape & 1) != 0;
      item.has_item_member = (shape & 2) != 0;
      item.answers = arena_.array<ResponseAnswer>(shape % 4);
      for (auto& answer : item.answers) {
        answer.value = value(false);
        if ((shape & 8) != 0) answer.items = items(depth + 1);
      }
      if ((shape & 4) != 0) item.items = items(depth + 1);
      list.push(item);
    }
    return list.items();
  }

 private:
  static constexpr ValueKind raw_kinds[] = {ValueKind::raw_text, ValueKind::raw_number,
                                            ValueKind::boolean, ValueKind::coding,
                                            ValueKind::quantity};
  // Often something that fits, so that the rules behind the grammar are reached.
  std::string_view text() {
    static constexpr std::string_view known[] = {"c0",
                                                 "c1",
                                                 "c3",
                                                 "7",
                                                 "11",
                                                 "-1.25",
                                                 "1e5",
                                                 "2026-02-28",
                                                 "23:59:59",
                                                 "text",
                                                 "https://example.org/",
                                                 "Patient/1",
                                                 "true",
                                                 "",
                                                 "5",
                                                 "0"};
    const auto pick = source_.byte();
    return pick < 160 ? known[pick % std::size(known)] : source_.text();
  }
  Source& source_;
  const Form& form_;
  Arena& arena_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Source source(data, size);
  const Form& form = generated(source.byte()).form();
  Arena arena;
  Drawer drawer(source, form, arena);
  const auto kind = source.byte();
  Diary diary;
  diary.media = static_cast<MediaType>(1 + kind % 3);
  diary.is_fhir = (kind & 0x40) != 0;
  diary.status = static_cast<ResponseStatus>((kind >> 2) % 5);
  if (diary.is_fhir)
    diary.items = drawer.items(0);
  else
    diary.raw = drawer.answers(0);
  Issues issues;
  const auto items = judge_diary(form, diary, arena, issues);
  ensure(issues.size() <= 2 * (issues_max + 1));
  for (const auto& issue : issues)
    ensure(!issue.diagnostics.empty() &&
           (!issue.expression.empty() || issue.code == IssueCode::processing));
  (void)sum_scores(form, items, arena);
  if (diary.is_fhir || std::ranges::any_of(issues, is_fault)) return 0;
  Issues again;
  check(form, {items, diary.status, {}, Terms::fhir}, arena, again);
  ensure(std::ranges::none_of(again, is_fault));
  return 0;
}
