#pragma once
#include <cstdint>
#include <string>

namespace vesper {

/// Memory this process may use: the machine's, or less where its control group, or one above it,
/// has a limit.
///   Units:  bytes; 0 when the system does not say.
///   Shape:  `root` stands before every path that is read, for tests.
///   Source: proc(5), /proc/meminfo; cgroups(7): memory.max of version 2, memory.limit_in_bytes of
///           version 1.
///   Thread: any.
[[nodiscard]] std::uint64_t memory_limit_bytes(const std::string& root = {});

}  // namespace vesper
