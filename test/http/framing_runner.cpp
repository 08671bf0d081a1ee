#include <algorithm>
#include <array>

#include "http/framing_cases.hpp"

namespace vesper::test {
namespace {

constexpr std::string_view sentinel =
    "GET /healthz?sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

bool is_framing_fault(int status) {
  constexpr std::array faults{400, 408, 413, 414, 417, 431, 501, 505};
  return std::ranges::find(faults, status) != faults.end();
}

std::string list(const std::vector<int>& statuses) {
  std::string out;
  for (const int status : statuses) out += std::to_string(status) + " ";
  return out;
}

std::string judge(const FramingCase& one, const RawResponses& got) {
  if (!got.fault.empty()) return got.fault;
  std::vector<int> statuses = got.statuses();
  std::erase(statuses, 100);
  const bool sentinel_due = one.faults.empty() && !one.closes && !one.alone;
  const std::size_t due = static_cast<std::size_t>(one.answered) + (one.faults.empty() ? 0 : 1) +
                          (sentinel_due ? 1 : 0);
  if (statuses.size() != due)
    return "got " + std::to_string(statuses.size()) + " answers (" + list(statuses) +
           ") instead of " + std::to_string(due);
  for (std::size_t i = 0; i < due; ++i) {
    const bool fault_due = !one.faults.empty() && i + 1 == due;
    if (fault_due ? std::ranges::find(one.faults, statuses[i]) == one.faults.end()
                  : is_framing_fault(statuses[i]))
      return "answer " + std::to_string(i + 1) + " of " + list(statuses) + "is wrong";
  }
  if (due > 0 && !one.alone && got.list.back().header("connection") != "close")
    return "the last answer does not say Connection: close";
  return {};
}

}  // namespace

std::string run_framing_case(const FramingRun& run, const FramingCase& one,
                             const std::vector<std::size_t>& cuts) {
  RawClient client{run.port, run.pump, run.address};
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    client.send(std::string_view{one.bytes}.substr(from, cut - from));
    from = cut;
  }
  client.send(std::string_view{one.bytes}.substr(from));
  if (!one.alone) client.send(sentinel);
  client.finish_sending();
  const auto& stream = client.read_to_end();
  if (client.was_reset()) return "the connection was reset";
  return judge(one, split_responses(stream, one.head_only));
}

}  // namespace vesper::test
