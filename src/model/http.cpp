#include "model/http.hpp"

namespace vesper {

const Header* RequestHead::find(std::string_view lower_case_name, std::size_t* count) const {
  const Header* found = nullptr;
  std::size_t n = 0;
  for (const auto& header : headers) {
    if (header.name.size() != lower_case_name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; same && i < header.name.size(); ++i) {
      const char c = header.name[i];
      same = (c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) == lower_case_name[i];
    }
    if (!same) continue;
    if (found == nullptr) found = &header;
    ++n;
  }
  if (count) *count = n;
  return found;
}

}  // namespace vesper
