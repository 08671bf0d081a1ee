// Nanoseconds to shape and check one raw diary of 13 coded numeric answers and a note, one warm
// core.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "stages/fhir/check/evening_diary.hpp"
#include "stages/fhir/check/judge.hpp"

int main(int argc, char**) {
  using namespace vesper;
  test::EveningDiary evening;
  Arena arena;
  Issues issues;
  const int rounds = argc > 1 ? 1 : 30;  // with an argument: one round, for counting instructions
  constexpr int diaries = 20'000;
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < diaries; ++i) {
      arena.reset();
      (void)judge_diary(evening.form(), evening.diary(), arena, issues);
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / diaries);
  }
  std::printf("shape and check of 14 answers: %.0f ns, %zu issues\n", best, issues.size());
}
