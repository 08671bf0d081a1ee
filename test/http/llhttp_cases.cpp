#include "http/llhttp_cases.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace vesper::test {
namespace {

namespace fs = std::filesystem;

fs::path corpus() {
  if (const char* set = std::getenv("VESPER_CORPORA")) return fs::path{set} / "http";
  const char* source = std::getenv("VESPER_SOURCE");
  return fs::path{source == nullptr ? "." : source} / "../shared/corpora/http";
}

/// The suite writes CRLF as a line end, and bytes that need it as escapes.
std::string on_the_wire(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  text = std::regex_replace(text, std::regex{"\\\\\n"}, "");
  text = std::regex_replace(text, std::regex{"\n"}, "\r\n");
  text = std::regex_replace(text, std::regex{R"(\\r)"}, "\r");
  text = std::regex_replace(text, std::regex{R"(\\n)"}, "\n");
  text = std::regex_replace(text, std::regex{R"(\\t)"}, "\t");
  text = std::regex_replace(text, std::regex{R"(\\f)"}, "\f");
  return std::regex_replace(text, std::regex{R"(\\xff)"}, "\xff");
}

void load_file(const fs::path& path, std::vector<LlhttpCase>& cases) {
  std::ifstream in{path};
  std::string heading, line, bytes;
  bool inside = false;
  while (std::getline(in, line)) {
    if (inside && line == "```") {
      cases.push_back({path.filename().string() + ": " + heading, on_the_wire(bytes)});
      inside = false;
    } else if (inside) {
      bytes += line + "\n";
    } else if (line == "```http") {
      inside = true;
      bytes.clear();
    } else if (line.starts_with("#")) {
      heading = line.substr(line.find_first_not_of("# "));
    }
  }
}

}  // namespace

std::optional<std::vector<LlhttpCase>> load_llhttp_cases() {
  if (!fs::is_directory(corpus())) return {};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{corpus()})
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<LlhttpCase> cases;
  for (const auto& file : files) load_file(file, cases);
  return cases;
}

}  // namespace vesper::test
