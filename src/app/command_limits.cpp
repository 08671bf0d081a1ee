#include <string>

#include "app/commands.hpp"
#include "app/input_file.hpp"
#include "app/server_client.hpp"
#include "base/json.hpp"

namespace vesper {
namespace {

ExitStatus slip(Invocation& invocation, const std::string& why) {
  invocation.err << "vesper " << invocation.command.name << ": " << why << "\n";
  return ExitStatus::usage;
}

// The diagnostics of an OperationOutcome, or what came instead.
std::string words_of(const FetchReply& reply) {
  Arena arena;
  const auto document = parse_json(reply.body, arena);
  if (document)
    if (const JsonValue* issues = (*document)->find("issue"); issues != nullptr && issues->first)
      if (const JsonValue* text = issues->first->find("diagnostics"))
        return std::string{text->text};
  return "the server answered " + std::to_string(reply.status);
}

// `{` begins the limits themselves; anything else is a file.
std::expected<std::string, std::string> patch_of(const std::string& argument) {
  if (argument.starts_with('{')) return argument;
  return read_input(argument);
}

}  // namespace

ExitStatus command_limits(Invocation& invocation) {
  const auto client = ServerClient::from(invocation);
  if (!client) return slip(invocation, client.error());
  const std::string verb = std::string{invocation.command.name}.substr(7);
  std::string headers, patch;
  ServerClient::Question question{.path = "/limits"};
  if (verb != "show") {
    const std::string reason = invocation.text("reason").value_or("");
    if (!header_safe(reason)) return slip(invocation, "--reason: must be one line");
    if (!reason.empty()) headers = "Vesper-Reason: " + reason + "\r\n";
    question.method = "POST";
    question.headers = headers;
    if (verb == "reset") question.path = "/limits/reset";
  }
  if (verb == "set") {
    const auto read = patch_of(invocation.arguments[0]);
    if (!read) return slip(invocation, read.error());
    patch = *read;
    question.body = patch;
  }
  const auto reply = client->ask(question);
  if (!reply) return slip(invocation, reply.error());
  if (reply->status != 200) {
    invocation.err << "vesper " << invocation.command.name << ": " << words_of(*reply) << "\n";
    return ExitStatus::answer_is_no;
  }
  invocation.out << reply->body;
  return ExitStatus::done;
}

}  // namespace vesper
