#include <algorithm>
#include <array>
#include <utility>

#include "drill/faults.hpp"

namespace vesper::drill {
namespace {

constexpr Drill table[] = {
    {.name = "destination-dead",
     .summary = "The data platform refuses connections, then takes them and never answers",
     .shape = {},
     .unable = nullptr,
     .prepare = nullptr,
     .fault = destination_dead,
     .judge = judge_resumption},
    {.name = "destination-slow",
     .summary = "The data platform slows from 20 ms to 10 s an answer",
     .shape = {},
     .unable = nullptr,
     .prepare = nullptr,
     .fault = destination_slow,
     .judge = judge_resumption},
    {.name = "destination-wrong",
     .summary = "The data platform answers 307, a login page, 404, garbage, half an answer, 400",
     .shape = {},
     .unable = nullptr,
     .prepare = nullptr,
     .fault = destination_wrong,
     .judge = judge_resumption},
    {.name = "disk-slow",
     .summary = "Three times as much comes as the journal's slow disk takes",
     .shape = {.times = 12, .refuses = true, .returns = false},
     .unable = nullptr,
     .prepare = prepare_disk_slow,
     .fault = disk_slow,
     .judge = judge_disk_slow},
    {.name = "disk-full",
     .summary = "The journal's disk fills up to the reserve, and is emptied again",
     .shape = {.refuses = true, .unready = true},
     .unable = unable_disk_full,
     .prepare = prepare_disk_full,
     .fault = disk_full,
     .judge = judge_disk_full},
    {.name = "process-killed",
     .summary = "The server is killed (SIGKILL) every two seconds and started again",
     .shape = {.unready = true, .unanswered = true},
     .unable = nullptr,
     .prepare = nullptr,
     .fault = process_killed,
     .judge = nullptr},
    {.name = "clock-stepped",
     .summary = "The wall clock jumps an hour ahead, an hour behind, a day ahead",
     .shape = {},
     .unable = unable_clock_stepped,
     .prepare = prepare_clock_stepped,
     .fault = clock_stepped,
     .judge = nullptr},
    {.name = "clients-leave",
     .summary = "Thousands of clients leave in mid request, politely or not",
     .shape = {.laborious = true},
     .unable = nullptr,
     .prepare = nullptr,
     .fault = clients_leave,
     .judge = nullptr},
};

constexpr std::array<std::pair<std::string_view, Control>, 6> controls{{{"none", Control::none},
                                                                        {"lie", Control::lie},
                                                                        {"twice", Control::twice},
                                                                        {"stall", Control::stall},
                                                                        {"forget", Control::forget},
                                                                        {"stay", Control::stay}}};

}  // namespace

std::span<const Drill> drills() {
  return table;
}

const Drill* find_drill(std::string_view name) {
  const auto* found = std::ranges::find(table, name, &Drill::name);
  return found == std::end(table) ? nullptr : found;
}

std::optional<Control> control_named(std::string_view name) {
  const auto* found = std::ranges::find(controls, name, [](const auto& c) { return c.first; });
  return found == controls.end() ? std::nullopt : std::optional{found->second};
}

std::string_view name_of(Control control) {
  return controls[static_cast<std::size_t>(control)].first;
}

}  // namespace vesper::drill
