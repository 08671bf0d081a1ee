#include "flows/catalog_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flows/finish_by.hpp"
#include "stages/fhir/bundle/plan.hpp"
#include "stages/fhir/check/plan.hpp"

namespace vesper {
namespace {

constexpr Duration install_stall = 2s;  ///< a shard that takes longer is told as stalled

// Both halves of stages/fhir attach what they work out once for each form.
void prepare(Form& form) {
  Issues ignored;  // what a rule cannot evaluate was told by the lint; its answers fail
  form.check_plan = make_check_plan(form, ignored);
  form.plan = make_plan(form);
}

std::uint16_t status_of(Publication::Verdict verdict) {
  switch (verdict) {
    case Publication::Verdict::malformed:
      return 400;
    case Publication::Verdict::invalid:
      return 422;
    case Publication::Verdict::conflict:
      return 409;
    case Publication::Verdict::accepted:
      return 200;
  }
  std::unreachable();
}

std::expected<void, Refusal> hold_against(const Precondition& stated, const Trial* trial) {
  if (stated.must_be_new && trial != nullptr)
    return refused(412, IssueCode::conflict, "This trial exists: send If-Match with its ETag.");
  if (!stated.must_be_new &&
      (trial == nullptr || !lists_etag(stated.etag, trial->etag, TagMatch::strong)))
    return refused(412, IssueCode::conflict,
                   "If-Match is not the ETag in force: read the trial again.");
  return {};
}

std::string publisher_of(const Caller* caller) {
  return caller == nullptr ? "local" : caller->issuer + " " + caller->subject;
}

}  // namespace

bool lists_etag(std::string_view header, std::string_view etag, TagMatch match) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view tag = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (match == TagMatch::weak && tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

CatalogKeeper::CatalogKeeper(asio::any_io_executor control, Clock& clock, Log& log,
                             Telemetry& telemetry, JournalStore& journal,
                             std::vector<std::string> destinations, TaskScope scope)
    : control_(std::move(control)),
      clock_(clock),
      log_(log),
      telemetry_(telemetry),
      journal_(journal),
      destinations_(std::move(destinations)),
      scope_(std::move(scope)) {}

PublicationRules CatalogKeeper::rules_for(std::string_view trial_id) const {
  return {trial_id, &destinations_, prepare};
}

asio::awaitable<std::expected<void, std::string>> CatalogKeeper::load() {
  const auto rows = co_await journal_.trials();
  if (!rows) co_return std::unexpected{std::string{"the stored trials cannot be read"}};
  std::unordered_map<std::string, std::shared_ptr<const Trial>> latest;
  for (const auto& row : *rows) {
    Issues issues;
    auto& previous = latest[row.trial_id];
    auto trial = restore_trial(previous.get(), row, rules_for(row.trial_id), issues);
    if (trial == nullptr)
      co_return std::unexpected{
          fmt::format("revision {} of trial {} cannot be read", row.revision, row.trial_id)};
    previous = std::move(trial);
  }
  std::vector<std::shared_ptr<const Trial>> trials;
  for (auto& [id, trial] : latest) trials.push_back(std::move(trial));
  co_await install(make_snapshot(std::move(trials)));
  warn_of_missing_destinations();
  co_return std::expected<void, std::string>{};
}

// A destination that leaves the configuration does not stop the start: its debts wait, and alarm.
void CatalogKeeper::warn_of_missing_destinations() {
  for (const auto& [id, trial] : current_->trials)
    for (const auto& destination : trial->destinations)
      if (std::ranges::find(destinations_, destination) == destinations_.end())
        log_.write(LogLevel::error, "destination.missing",
                   "a trial names a destination that is not configured; what is owed to it waits",
                   {{"vesper.trial", std::string_view{id}},
                    {"vesper.destination", std::string_view{destination}}});
}

asio::awaitable<void> CatalogKeeper::install(std::shared_ptr<const TrialSnapshot> next) {
  current_ = std::move(next);
  telemetry_.set(Gauge::trials_loaded, static_cast<std::int64_t>(current_->trials.size()));
  const auto installed = current_;  // shards that are behind another publication skip this one
  for (const Shard& shard : shards_) {
    const auto replace =
        [](ShardCatalog* catalog,
           std::shared_ptr<const TrialSnapshot> snapshot) -> asio::awaitable<void> {
      if (catalog->snapshot()->generation <= snapshot->generation)
        catalog->replace(std::move(snapshot));
      co_return;
    };
    co_await scope_.call(shard.executor, "install", Deadline{clock_.now() + install_stall},
                         replace(shard.catalog, installed));
  }
}

asio::awaitable<std::expected<Published, Refusal>> CatalogKeeper::publish(
    PublicationRequest request) {
  Draft draft{.trial_id = std::string{request.trial_id},
              .document = std::string{request.document},
              .reason = std::string{request.reason},
              .etag = std::string{request.precondition.etag},
              .publisher = publisher_of(request.publisher),
              .must_be_new = request.precondition.must_be_new};
  auto published = co_await finish_by(scope_, control_, clock_, "publish", request.deadline,
                                      publish_here(std::move(draft)));
  if (!published)
    co_return refused(503, IssueCode::timeout,
                      "The journal did not confirm in time: it may still take effect. Read the "
                      "trial again.");
  co_return *std::move(published);
}

asio::awaitable<std::expected<Published, Refusal>> CatalogKeeper::publish_here(Draft draft) {
  const Trial* previous = current_->find(draft.trial_id);
  if (auto held = hold_against({draft.must_be_new, draft.etag}, previous); !held)
    co_return std::unexpected{held.error()};
  Publication judged = judge_publication(previous, draft.document, rules_for(draft.trial_id));
  if (judged.verdict != Publication::Verdict::accepted)
    co_return std::unexpected{Refusal{status_of(judged.verdict), std::move(judged.issues)}};
  const bool created = previous == nullptr;
  TrialRow row{judged.trial->id,           judged.trial->revision,  judged.trial->document,
               std::move(draft.publisher), std::move(draft.reason), clock_.wall()};
  const auto stored = co_await journal_.publish(row);
  if (!stored && stored.error() == StoreFault::stale)
    co_return refused(412, IssueCode::conflict, "Somebody else published this trial meanwhile.");
  if (!stored)
    co_return refused(503, IssueCode::transient, "The journal could not store it; try again.");
  co_await install(make_snapshot(current_.get(), judged.trial));
  telemetry_.count(Counter::trials_published);
  log_.write(LogLevel::info, "trial.published", "a trial document is in force on every shard",
             {{"vesper.trial", std::string_view{judged.trial->id}},
              {"vesper.revision", static_cast<std::int64_t>(judged.trial->revision)}});
  co_return Published{created, judged.trial};
}

asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> CatalogKeeper::history(
    std::string_view trial_id, Patience patience) {
  auto rows = co_await journal_.trials(patience);
  if (rows) std::erase_if(*rows, [&](const TrialRow& row) { return row.trial_id != trial_id; });
  co_return rows;
}

}  // namespace vesper
