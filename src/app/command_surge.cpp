#include <csignal>
#include <fstream>
#include <optional>

#include "app/commands.hpp"
#include "app/surge_ledger.hpp"
#include "app/surge_plan.hpp"
#include "app/surge_progress.hpp"
#include "io/clock/system_clock.hpp"
#include "surge/engine.hpp"

namespace vesper {
namespace {

// Reached by the signal handler alone; set while an engine runs.
surge::Engine* running = nullptr;

void stop_running(int) {
  if (running != nullptr) running->stop();
}

class Console final : public surge::Observer {
 public:
  Console(std::ostream& err, bool quiet, std::vector<std::string> trials,
          std::optional<SurgeLedger> ledger)
      : err_(err), quiet_(quiet), trials_(std::move(trials)), ledger_(std::move(ledger)) {}

  void minting(std::uint64_t done, std::uint64_t of) override {
    constexpr std::uint64_t each = 100'000;
    if (!quiet_ && of >= each && (done % each < 1024 || done == of))
      err_ << "vesper surge: " << done << " of " << of << " tokens made" << std::endl;
  }
  void progress(const surge::Progress& progress) override {
    if (!quiet_) err_ << "vesper surge: " << progress_line(progress) << std::endl;
  }
  void tried(const surge::TryRecord& record) override {
    if (ledger_) ledger_->write(record, trials_[record.trial]);
  }
  [[nodiscard]] bool finish() { return !ledger_ || ledger_->finish(); }

 private:
  std::ostream& err_;
  bool quiet_;
  std::vector<std::string> trials_;
  std::optional<SurgeLedger> ledger_;
};

ExitStatus fault(Invocation& invocation, std::string_view what) {
  invocation.err << "vesper surge: " << what << "\n";
  return ExitStatus::usage;
}

}  // namespace

ExitStatus command_surge(Invocation& invocation) {
  auto plan = surge_plan(invocation);
  if (!plan) return fault(invocation, plan.error());
  std::optional<SurgeLedger> ledger;
  if (const auto file = invocation.text("ledger")) {
    auto opened = SurgeLedger::open(*file);
    if (!opened) return fault(invocation, opened.error());
    ledger.emplace(*std::move(opened));
  }
  std::vector<std::string> trials;
  for (const surge::TrialLoad& trial : plan->trials) trials.push_back(trial.id);
  Console console{invocation.err, invocation.flag("quiet"), std::move(trials), std::move(ledger)};
  const SystemClock clock;
  surge::Engine engine{*std::move(plan), clock, console};
  running = &engine;
  (void)std::signal(SIGINT, stop_running);
  (void)std::signal(SIGTERM, stop_running);
  const auto report = engine.run();
  (void)std::signal(SIGINT, SIG_DFL);
  (void)std::signal(SIGTERM, SIG_DFL);
  running = nullptr;
  if (!report) return fault(invocation, report.error());
  invocation.out << (invocation.flag("json") ? surge::to_json(*report) + "\n"
                                             : surge_summary(*report));
  if (const auto file = invocation.text("html")) {
    std::ofstream page{*file, std::ios::binary};
    page << surge::to_html(*report, "An evening");
    if (!page.flush()) return fault(invocation, *file + ": cannot be written");
  }
  if (!console.finish()) return fault(invocation, "the ledger could not be written to its end");
  return surge::verdict_of(*report) == surge::Verdict::believable ? ExitStatus::done
                                                                  : ExitStatus::answer_is_no;
}

}  // namespace vesper
