#pragma once
#include <expected>
#include <string>

#include "app/command.hpp"
#include "surge/plan.hpp"

namespace vesper {

/// The plan that the options of `vesper surge` describe, tokens included.
///   Errors: one sentence that names the option or the file.
[[nodiscard]] std::expected<surge::Plan, std::string> surge_plan(const Invocation& invocation);

}  // namespace vesper
