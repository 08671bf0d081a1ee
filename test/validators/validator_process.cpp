#include "validators/validator_process.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "golden/pipeline.hpp"
#include "validators/bundle_variety.hpp"

namespace vesper::validators {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// On one line: the validators read a document a line. Digits and order stay as they are.
std::string one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

std::string content_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

// HAPI cannot expand a contained value set of codes whose system it does not have: the same codes
// as options say the same.
void spell_out(json& items, const json& contained) {
  for (json& item : items) {
    const std::string set = item.value("answerValueSet", "");
    for (const json& resource : contained) {
      if (set != "#" + resource.value("id", "")) continue;
      item.erase("answerValueSet");
      for (const json& include : resource["compose"]["include"])
        for (const json& concept_ : include["concept"])
          item["answerOption"].push_back({{"valueCoding",
                                           {{"system", include["system"]},
                                            {"code", concept_["code"]},
                                            {"display", concept_["display"]}}}});
    }
    if (item.contains("item")) spell_out(item["item"], contained);
  }
}

void add(std::vector<Document>& out, std::set<std::string>& known, const std::string& name,
         const json& description, std::string bundle) {
  for (json questionnaire : golden::questionnaires_of(description)) {
    if (!known.insert(questionnaire.value("url", name)).second) continue;
    spell_out(questionnaire["item"], questionnaire.value("contained", json::array()));
    out.push_back({name + " (form)", questionnaire.dump()});
  }
  out.push_back({name, one_line(std::move(bundle))});
}

// No resource where the stages refuse the case: every validator complains of it.
std::string bundle_of(const json& description) {
  golden::Outcome outcome = golden::run(description);
  for (const Issue& issue : outcome.issues)
    if (is_fault(issue))
      return json{{"refused", issue.expression + ": " + issue.diagnostics}}.dump();
  return std::move(outcome.bundle);
}

// The diary that benchmarks send, with the trial document as it ships.
json shipped_case() {
  const std::string folder = source_folder() + "/deploy/demo/";
  return {{"trial", "BENCH-01"},
          {"type", "application/json"},
          {"submissionId", "019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b"},
          {"deliveryId", "6ba7b810-9dad-51d1-80b4-00c04fd430c8"},
          {"receivedAt", "2026-11-20T12:14:06.001Z"},
          {"contentHash", std::string(64, 'b')},
          {"source", content_of(folder + "bench-diary.json")},
          {"document", json::parse(content_of(folder + "bench-trial.json"))}};
}

}  // namespace

std::string source_folder() {
  const char* source = std::getenv("VESPER_SOURCE");
  return source != nullptr ? source : ".";
}

bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

std::vector<Document> documents(int count) {
  std::vector<Document> out;
  std::set<std::string> known;
  std::vector<fs::path> cases;
  for (const auto& entry : fs::recursive_directory_iterator{source_folder() + "/test/golden"})
    if (entry.path().string().ends_with(".case.json")) cases.push_back(entry.path());
  std::ranges::sort(cases);
  for (const fs::path& path : cases) {
    std::string bundle = path.string();
    bundle.replace(bundle.size() - 10, 10, ".bundle.json");
    add(out, known, path.filename(), json::parse(content_of(path)), content_of(bundle));
  }
  add(out, known, "bench-diary", shipped_case(), bundle_of(shipped_case()));
  for (int seed = 1; seed <= count; ++seed) {
    const json description = random_case(static_cast<std::uint64_t>(seed));
    add(out, known, "seed " + std::to_string(seed), description, bundle_of(description));
  }
  return out;
}

std::vector<json> validate(const std::string& command, const std::vector<Document>& documents) {
  const fs::path input =
      fs::temp_directory_path() / ("vesper-validate-" + std::to_string(std::rand()) + ".jsonl");
  {
    std::ofstream out{input};
    for (const Document& document : documents) out << document.json << '\n';
  }
  const std::string line =
      "cd '" + source_folder() + "/tools' && " + command + " < '" + input.string() + "'";
  std::vector<json> results;
  std::string output;
  if (FILE* pipe = popen(line.c_str(), "r")) {
    std::array<char, 65536> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
      output.append(buffer.data(), n);
    pclose(pipe);
  }
  fs::remove(input);
  for (std::size_t at = 0, end; (end = output.find('\n', at)) != std::string::npos; at = end + 1)
    results.push_back(json::parse(output.substr(at, end - at)));
  return results;
}

}  // namespace vesper::validators
