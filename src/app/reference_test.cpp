#include "app/reference.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vesper {
namespace {

std::filesystem::path folder() {
  const char* source = std::getenv("VESPER_SOURCE");  // set by ctest
  return std::filesystem::path(source == nullptr ? "." : source) / "docs/reference";
}

TEST(Reference, PagesAreWhatTheTablesSay) {
  for (const auto& [path, text] : reference_pages()) {
    std::ifstream file{folder() / path, std::ios::binary};
    const std::string committed{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_TRUE(committed == text)
        << path << " is not what the tables say: run `vesper reference docs/reference`";
  }
}

TEST(Reference, NoPageOfAGoneCommandIsLeft) {
  const auto pages = reference_pages();
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "commands"))
    EXPECT_TRUE(pages.contains("commands/" + entry.path().filename().string())) << entry.path();
}

}  // namespace
}  // namespace vesper
