#include "io/entropy/system_entropy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace vesper {
namespace {

TEST(SystemEntropy, FillsEverySizeAroundTheReadAhead) {
  SystemEntropy entropy;
  for (std::size_t size : {1u, 7u, 1023u, 1024u, 1025u, 5000u}) {
    // A byte stays zero in all of 16 tries with probability 2^-128.
    std::vector<std::uint8_t> seen(size, 0), bytes(size);
    for (int round = 0; round < 16; ++round) {
      std::fill(bytes.begin(), bytes.end(), 0);
      entropy.fill(bytes);
      for (std::size_t i = 0; i < size; ++i) seen[i] |= bytes[i];
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0) << size;
  }
}

TEST(SystemEntropy, NeverHandsOutTheSameNumberTwice) {
  SystemEntropy entropy;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(seen.insert(entropy.next()).second);
}

TEST(SystemEntropy, ThreadsGetDifferentNumbers) {
  SystemEntropy entropy;
  std::uint64_t a = 0, b = 0;
  std::thread one{[&] { a = entropy.next(); }};
  std::thread two{[&] { b = entropy.next(); }};
  one.join();
  two.join();
  EXPECT_NE(a, b);
}

TEST(SystemEntropy, EmptyRequestIsFine) {
  SystemEntropy{}.fill({});
  EXPECT_NE(SystemEntropy{}.next(), SystemEntropy{}.next());
}

}  // namespace
}  // namespace vesper
