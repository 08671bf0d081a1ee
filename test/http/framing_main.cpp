// Runs the framing suite against any HTTP/1.1 server that has /healthz, our own binary first.
#include <algorithm>
#include <exception>
#include <iostream>

#include "http/framing_cases.hpp"
#include "http/llhttp_cases.hpp"
#include "http/strict_oracle.hpp"

namespace {

using namespace vesper::test;

struct Tally {
  int cases = 0, wrong = 0;
};

void run(const FramingRun& to, const FramingCase& one, const std::vector<std::size_t>& cuts,
         Tally& tally) {
  ++tally.cases;
  std::string difference;
  try {
    difference = run_framing_case(to, one, cuts);
  } catch (const std::exception& failed) {
    difference = failed.what();
  }
  if (difference.empty()) return;
  ++tally.wrong;
  std::cout << "wrong: " << one.name << ": " << difference << "\n";
}

FramingCase as_the_oracle_says(const LlhttpCase& one) {
  const auto oracle = judge_strictly(one.bytes);
  FramingCase wire{one.name, one.bytes, static_cast<int>(oracle.taken.size())};
  if (oracle.refused) wire.faults = {400, 408, 413, 414, 417, 431, 501, 505};
  wire.closes = oracle.closes;
  wire.alone = oracle.refused;
  for (const auto& request : oracle.taken) wire.head_only.push_back(request.method == "HEAD");
  return wire;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string where = argc == 2 ? argv[1] : "";
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) {
    std::cerr << "usage: vesper-framing ADDRESS:PORT\n";
    return 2;
  }
  const FramingRun to{.port = static_cast<std::uint16_t>(std::stoul(where.substr(colon + 1))),
                      .pump = {},
                      .address = where.substr(0, colon)};
  Tally own, split, llhttp;
  std::size_t sample = 0;
  for (const auto& one : framing_cases()) {
    run(to, one, {}, own);
    if (one.bytes.size() > 2) run(to, one, {1 + (sample += 7) % (one.bytes.size() - 1)}, split);
  }
  const auto corpus = load_llhttp_cases();
  if (corpus)
    for (const auto& one : *corpus) run(to, as_the_oracle_says(one), {}, llhttp);
  std::cout << "own " << own.cases << " wrong " << own.wrong << ", split " << split.cases
            << " wrong " << split.wrong << ", llhttp " << llhttp.cases << " wrong " << llhttp.wrong
            << (corpus ? "" : " (corpora/http is absent)") << "\n";
  return own.wrong + split.wrong + llhttp.wrong == 0 ? 0 : 1;
}
