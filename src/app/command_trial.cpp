#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/input_file.hpp"
#include "app/server_client.hpp"
#include "app/trial_file.hpp"
#include "base/arena.hpp"
#include "base/json.hpp"

namespace vesper {
namespace {

ExitStatus slip(Invocation& invocation, std::string_view what) {
  invocation.err << "vesper " << invocation.command.name << ": " << what << "\n";
  return ExitStatus::usage;
}

void tell(std::ostream& out, const Issues& issues) {
  for (const Issue& issue : issues)
    out << fmt::format("{}: {}{}{}\n", code_of(issue.severity), issue.expression,
                       issue.expression.empty() ? "" : ": ", issue.diagnostics);
}

std::string trial_id_of(std::string_view document) {
  Arena arena;
  const auto json = parse_json(document, arena);
  if (!json) return {};
  const JsonValue* id = (*json)->is(JsonKind::object) ? (*json)->find("id") : nullptr;
  return id != nullptr && id->is(JsonKind::string) ? std::string(id->text) : std::string{};
}

// What the server said, to the person: its OperationOutcome, or the bare status.
ExitStatus refused(Invocation& invocation, const FetchReply& reply) {
  invocation.err << fmt::format("vesper trial publish: the server answers {}\n", reply.status);
  if (!reply.body.empty()) invocation.out << reply.body << "\n";
  return ExitStatus::answer_is_no;
}

// `If-None-Match: *` for a trial the server has not, `If-Match` with its tag for one it has.
std::expected<std::string, FetchReply> condition_for(const FetchReply& present) {
  if (present.status == 404) return "If-None-Match: *\r\n";
  if (present.status == 200 && !present.etag.empty())
    return fmt::format("If-Match: {}\r\n", present.etag);
  return std::unexpected(present);
}

}  // namespace

ExitStatus command_trial_lint(Invocation& invocation) {
  const auto document = read_input(invocation.arguments[0]);
  if (!document) return slip(invocation, document.error());
  const TrialFile trial = read_trial_file(*document);
  if (invocation.flag("json")) {
    invocation.out << to_operation_outcome(trial.issues) << "\n";
  } else {
    tell(invocation.out, trial.issues);
    invocation.out << (trial.trial ? "in order\n" : "refused\n");
  }
  return trial.trial ? ExitStatus::done : ExitStatus::answer_is_no;
}

ExitStatus command_trial_publish(Invocation& invocation) {
  const auto document = read_input(invocation.arguments[0]);
  if (!document) return slip(invocation, document.error());
  const std::string id = trial_id_of(*document);
  if (id.empty()) return slip(invocation, "the document is no JSON object with an id");
  const std::string reason = invocation.text("reason").value_or("");
  if (!header_safe(reason)) return slip(invocation, "--reason: must be one line");
  const auto client = ServerClient::from(invocation);
  if (!client) return slip(invocation, client.error());
  const std::string path = "/trials/" + percent_encoded(id);

  const auto present = client->ask({.path = path});
  if (!present) return slip(invocation, present.error());
  const auto condition = condition_for(*present);
  if (!condition) return refused(invocation, condition.error());
  std::string headers = *condition;
  if (!reason.empty()) headers += "Vesper-Reason: " + reason + "\r\n";
  ServerClient::Question question{
      .method = "POST", .path = path, .body = *document, .headers = headers};
  auto reply = client->ask(question);
  if (reply && reply->status == 405) {  // an intake port, where a change is a PUT
    question.method = "PUT";
    reply = client->ask(question);
  }
  if (!reply) return slip(invocation, reply.error());
  if (reply->status != 200 && reply->status != 201) return refused(invocation, *reply);
  if (invocation.flag("json"))
    invocation.out << reply->body << "\n";
  else
    invocation.out << fmt::format("{} {}, ETag {}\n", id,
                                  reply->status == 201 ? "published" : "changed", reply->etag);
  return ExitStatus::done;
}

}  // namespace vesper
