#pragma once
#include <cstddef>
#include <expected>
#include <string>

namespace vesper {

inline constexpr std::size_t input_bytes_max = 64 * 1024 * 1024;

/// The bytes of a file that a command was given; `-` is standard input.
///   Bounds: input_bytes_max.
///   Errors: one sentence that names the file.
[[nodiscard]] std::expected<std::string, std::string> read_input(const std::string& path);

}  // namespace vesper
