// vesper_stages: what one diary costs in decode, check and bundle, in one thread without I/O.
// Prints one JSON line; each figure is the median over rounds of 2,000 diaries.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "stages/catalog/publication.hpp"
#include "stages/decode/decoder.hpp"
#include "stages/fhir/bundle/bundle.hpp"
#include "stages/fhir/bundle/plan.hpp"
#include "stages/fhir/check/judge.hpp"
#include "stages/fhir/check/plan.hpp"
#include "stages/fhir/check/score.hpp"

namespace {

using namespace vesper;

std::string read_file(const std::string& name) {
  std::ifstream in{name, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  if (!in) std::fprintf(stderr, "vesper_stages: cannot read %s\n", name.c_str()), std::exit(2);
  return out.str();
}

double now_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

double median(std::vector<double>& values) {
  std::ranges::nth_element(values, values.begin() + static_cast<long>(values.size() / 2));
  return values[values.size() / 2];
}

void attach_plans(Form& form) {
  Issues rules;
  form.check_plan = make_check_plan(form, rules);
  form.plan = make_plan(form);
}

struct Costs {
  std::vector<double> decode, check, bundle;
  std::size_t bundle_bytes = 0;
};

void measure(const Trial& trial, const std::string& source, Costs& costs) {
  constexpr int count = 2'000;
  const Decoder decoder;
  Arena arena;
  std::string out;
  double decoded = 0, checked = 0, written = 0;
  for (int i = 0; i < count; ++i) {
    arena.reset();
    const double begun = now_us();
    const auto diary = decoder.decode(MediaType::json, source, arena);
    const double after_decode = now_us();
    if (!diary) std::fprintf(stderr, "vesper_stages: the diary does not parse\n"), std::exit(2);
    const Form& form = *trial.find(diary->form_id, diary->form_version);
    Issues issues;
    const auto items = judge_diary(form, *diary, arena, issues);
    const double after_check = now_us();
    if (!issues.empty())
      std::fprintf(stderr, "vesper_stages: %s\n", to_operation_outcome(issues).c_str()),
          std::exit(2);
    out.clear();
    write_bundle(out,
                 {.form = &form,
                  .diary = &*diary,
                  .items = items,
                  .scores = sum_scores(form, items, arena),
                  .trial_id = trial.id,
                  .subject_system = trial.subject_system,
                  .subject_id = diary->subject_id,
                  .submission_id = *diary->submission_id,
                  .delivery_id = *diary->submission_id,
                  .received_at = {},
                  .issuer = {},
                  .caller_subject = {}},
                 arena);
    const double end = now_us();
    decoded += after_decode - begun, checked += after_check - after_decode,
        written += end - after_check;
  }
  costs.decode.push_back(decoded / count);
  costs.check.push_back(checked / count);
  costs.bundle.push_back(written / count);
  costs.bundle_bytes = out.size();
}

}  // namespace

int main(int argc, char** argv) {
  const char* source_dir = std::getenv("VESPER_SOURCE");
  const std::string root = argc > 1 ? argv[1] : source_dir ? source_dir : ".";
  const auto published = judge_publication(
      nullptr, read_file(root + "/deploy/demo/bench-trial.json"), {.prepare = attach_plans});
  if (!published.trial)
    return std::fprintf(stderr, "vesper_stages: the trial is refused: %s\n",
                        to_operation_outcome(published.issues).c_str()),
           2;
  std::string source = read_file(root + "/deploy/demo/bench-diary.json");
  Costs costs;
  for (int round = 0; round < 40; ++round) measure(*published.trial, source, costs);
  const double decode = median(costs.decode), check = median(costs.check),
               bundle = median(costs.bundle);
  std::printf(
      "{\"source_bytes\":%zu,\"decode_us\":%.3f,\"check_us\":%.3f,\"bundle_us\":%.3f,\"total_us\":%"
      ".3f,\"bundle_bytes\":%zu}\n",
      source.size(), decode, check, bundle, decode + check + bundle, costs.bundle_bytes);
}
