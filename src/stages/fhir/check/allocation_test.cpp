// Counts every call of operator new in this binary: a valid diary must need none.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "stages/fhir/check/check_test_generator.hpp"
#include "stages/fhir/check/evening_diary.hpp"
#include "stages/fhir/check/judge.hpp"

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

TEST(CheckAllocations, AValidRawDiaryNeedsNone) {
  test::EveningDiary evening;
  Arena arena;
  Issues issues;
  for (int i = 0; i < 3; ++i) {
    arena.reset();
    (void)judge_diary(evening.form(), evening.diary(), arena, issues);
  }
  const long before = allocations;
  for (int i = 0; i < 100; ++i) {
    arena.reset();
    (void)judge_diary(evening.form(), evening.diary(), arena, issues);
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_TRUE(issues.empty());
}

TEST(CheckAllocations, AValidResponseOfAnyFormNeedsNoneOnceTheArenaIsWarm) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    test::Generator generator(seed);
    Diary diary;
    diary.is_fhir = true;
    diary.items = generator.response();
    Arena arena;
    Issues issues;
    (void)judge_diary(generator.form(), diary, arena, issues);
    arena.reset();
    const long before = allocations;
    (void)judge_diary(generator.form(), diary, arena, issues);
    EXPECT_EQ(allocations - before, 0) << "seed " << seed;
  }
}

// Negative control: a fault is told in a string, and the counter sees it.
TEST(CheckAllocations, TheCounterCountsWhatAFaultCosts) {
  test::EveningDiary evening;
  evening.answer(0).values[0].text = PatientText{"11"};
  Arena arena;
  Issues issues;
  const long before = allocations;
  (void)judge_diary(evening.form(), evening.diary(), arena, issues);
  EXPECT_GE(allocations - before, 1);
  EXPECT_EQ(issues.size(), 1U);
}

}  // namespace
}  // namespace vesper
