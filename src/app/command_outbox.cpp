#include <boost/asio/io_context.hpp>
#include <exception>

#include "app/commands.hpp"
#include "app/server_client.hpp"
#include "flows/deliver/outbox_client.hpp"
#include "io/clock/system_clock.hpp"
#include "io/https_client/fetch_client.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

OutboxCommand outbox_command(const Invocation& invocation, const ServerClient& client) {
  OutboxCommand command;
  command.server = client.server();
  command.token = client.token();
  command.verb = invocation.command.name.substr(invocation.command.name.find(' ') + 1);
  if (!invocation.arguments.empty()) command.destination = invocation.arguments[0];
  if (invocation.arguments.size() > 1) command.delivery_id = invocation.arguments[1];
  command.reason = invocation.text("reason").value_or("");
  command.json = invocation.flag("json");
  return command;
}

}  // namespace

ExitStatus command_outbox(Invocation& invocation) {
  const auto client = ServerClient::from(invocation);
  if (!client) {
    invocation.err << "vesper " << invocation.command.name << ": " << client.error() << "\n";
    return ExitStatus::usage;
  }
  const OutboxCommand command = outbox_command(invocation, *client);
  SystemClock clock;
  FetchClient fetch{clock, client->tls_files()};
  OutboxCommandResult result;
  asio::io_context context{1};
  TaskScope{"command"}.spawn(context.get_executor(), "outbox", for_ever,
                             [&](TaskRecord*) -> asio::awaitable<void> {
                               result = co_await run_outbox_command(command, fetch, clock);
                             });
  context.run();
  invocation.out << result.out;
  if (!result.err.empty())
    invocation.err << "vesper " << invocation.command.name << ": " << result.err
                   << (result.err.ends_with('\n') ? "" : "\n");
  return static_cast<ExitStatus>(result.exit_status);
}

}  // namespace vesper
