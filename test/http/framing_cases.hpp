#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "http/raw_client.hpp"

namespace vesper::test {

/// One stream of bytes and what a strict HTTP/1.1 server makes of it, whatever it serves: the
/// targets are /healthz, which every listener has, and methods it may refuse.
struct FramingCase {
  std::string name;
  std::string bytes;
  int answered = 1;           ///< requests that are taken, with whatever status the routes give
  std::vector<int> faults{};  ///< then one of these and the end; empty: no fault
  bool closes = false;        ///< the last request taken asks for the end
  bool alone = false;         ///< incomplete: nothing may be sent after it but the end
  std::vector<bool> head_only{};
};

/// The suite: RFC 9112 and 9110 by class, limits at their edges, known smuggling shapes.
[[nodiscard]] const std::vector<FramingCase>& framing_cases();

/// What one run of a case came to; empty when as expected, else what differs.
struct FramingRun {
  std::uint16_t port = 0;
  std::function<void()> pump;  ///< runs a server in this thread; none for another process
  std::string address = "127.0.0.1";
};
/// Sends the case in pieces cut at `cuts`, then a request that must be answered or, after a fault,
/// must not be.
[[nodiscard]] std::string run_framing_case(const FramingRun& run, const FramingCase& one,
                                           const std::vector<std::size_t>& cuts = {});

}  // namespace vesper::test
