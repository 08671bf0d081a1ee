#pragma once
#include "app/command.hpp"

namespace vesper {

// What the rows of command_table.cpp run; each stands in a file of its own name.
ExitStatus command_serve(Invocation& invocation);
ExitStatus command_check(Invocation& invocation);
ExitStatus command_outbox(Invocation& invocation);
ExitStatus command_limits(Invocation& invocation);
ExitStatus command_convert(Invocation& invocation);
ExitStatus command_trial_lint(Invocation& invocation);
ExitStatus command_trial_publish(Invocation& invocation);
ExitStatus command_drill_friday_night(Invocation& invocation);
ExitStatus command_drill_list(Invocation& invocation);
ExitStatus command_drill_run(Invocation& invocation);
ExitStatus command_surge(Invocation& invocation);
ExitStatus command_token_mint(Invocation& invocation);
ExitStatus command_token_verify(Invocation& invocation);
ExitStatus command_receipt_key_new(Invocation& invocation);
ExitStatus command_verify(Invocation& invocation);
ExitStatus command_reference(Invocation& invocation);

}  // namespace vesper
