#pragma once
#include <boost/asio/awaitable.hpp>

#include "drill/drill.hpp"

namespace vesper::drill {

// The faults of a data platform, and what must hold beside the usual.
asio::awaitable<void> destination_dead(Act& act);
asio::awaitable<void> destination_slow(Act& act);
asio::awaitable<void> destination_wrong(Act& act);
void judge_resumption(Act& act, const surge::Report& report);

// The faults of the machine the server runs on.
void prepare_disk_slow(RigPlan& plan, const DrillOptions& options);
asio::awaitable<void> disk_slow(Act& act);
void judge_disk_slow(Act& act, const surge::Report& report);
std::string unable_disk_full(const DrillOptions& options);
void prepare_disk_full(RigPlan& plan, const DrillOptions& options);
asio::awaitable<void> disk_full(Act& act);
void judge_disk_full(Act& act, const surge::Report& report);
asio::awaitable<void> process_killed(Act& act);
std::string unable_clock_stepped(const DrillOptions& options);
void prepare_clock_stepped(RigPlan& plan, const DrillOptions& options);
asio::awaitable<void> clock_stepped(Act& act);

// The faults of its clients.
asio::awaitable<void> clients_leave(Act& act);

}  // namespace vesper::drill
