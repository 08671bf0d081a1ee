// Counts every call of operator new in this binary, to hold decode to its promise.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "stages/decode/decode_fixture.hpp"

namespace {
std::atomic<long> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace vesper {
namespace {

constexpr long allocations_per_diary_max = 0;  // in steady state: once the arena has its blocks

long count(MediaType media, const std::string& source) {
  Arena arena;
  const Decoder decoder;
  for (int warm = 0; warm < 3; ++warm) {
    arena.reset();
    EXPECT_TRUE(decoder.decode(media, source, arena).has_value());
  }
  const long before = allocations;
  for (int i = 0; i < 100; ++i) {
    arena.reset();
    if (!decoder.decode(media, source, arena)) return -1;
  }
  return allocations - before;
}

TEST(Allocations, ADiaryInOrderNeedsNone) {
  EXPECT_LE(count(MediaType::json,
                  R"({"submissionId":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b","trialId":"T",
        "subjectId":"S","form":"f","formVersion":"1","authored":"2026-11-20T20:14:05Z",
        "answers":{"a":1,"b":"t\u00e9xt","c":{"code":"x"},"d":[1,2],"e":[{"f":1},{"f":2}]}})"),
            allocations_per_diary_max);
  EXPECT_LE(count(MediaType::xml,
                  "<diary><trialId>T</trialId><subjectId>S</subjectId><form>f</form>"
                  "<formVersion>1</formVersion><authored>2026-11-20T20:14:05Z</authored>"
                  "<answers><answer field='a'>1</answer><group field='e'><answer field='f'>1"
                  "</answer></group></answers></diary>"),
            allocations_per_diary_max);
  EXPECT_LE(count(MediaType::fhir,
                  R"({"resourceType":"QuestionnaireResponse","questionnaire":"u|1",
        "status":"completed","subject":{"identifier":{"value":"S"}},
        "authored":"2026-11-20T20:14:05Z","item":[{"linkId":"a","answer":[{"valueInteger":4}]}]})"),
            allocations_per_diary_max);
}

// Negative control: the counter sees allocations.
TEST(Allocations, TheCounterCounts) {
  const long before = allocations;
  ::operator delete(::operator new(1));
  EXPECT_GE(allocations - before, 1);
}

}  // namespace
}  // namespace vesper
