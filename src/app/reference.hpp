#pragma once
#include <map>
#include <string>

namespace vesper {

/// The pages of docs/reference that are made from tables: path below that folder to text.
[[nodiscard]] std::map<std::string, std::string> reference_pages();

}  // namespace vesper
