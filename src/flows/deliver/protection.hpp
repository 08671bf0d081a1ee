#pragma once
#include "model/upstream.hpp"
#include "stages/relay/gate.hpp"
#include "stages/upstream/judge.hpp"

namespace vesper {

/// The rules of a destination's gate.
///   Why: all times scale with the deadline of a try, so that the defaults suit a deadline of
///        300 ms as well as one of a minute.
[[nodiscard]] relay::Gate::Rule gate_rule(const UpstreamSettings& settings);

/// What the end of a try says about the destination.
[[nodiscard]] relay::TryEnd try_end_of(const upstream::Outcome& outcome);

}  // namespace vesper
