#include "stages/decode/faults.hpp"

#include <algorithm>

namespace vesper::decoding {
namespace {

constexpr std::size_t issues_max = 100, shown_name_bytes_max = 64;

bool showable(std::string_view name) {
  return name.size() <= shown_name_bytes_max &&
         std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::string path_of(const Where& where) {
  std::string path = where.parent == nullptr ? std::string{} : path_of(*where.parent);
  if (!where.name.empty()) {
    if (!path.empty()) path += '.';
    path += showable(where.name) ? where.name : "(name)";
  }
  if (where.index >= 0) path.append("[").append(std::to_string(where.index)).append("]");
  return path;
}

void Faults::add(IssueCode code, std::string_view diagnostics, std::string path) {
  if (issues_.size() > issues_max) return;
  if (issues_.size() == issues_max) {
    issues_.push_back({Severity::error,
                       IssueCode::processing,
                       IssueKind::form,
                       "There are more faults; the first 100 are listed.",
                       {}});
    return;
  }
  issues_.push_back(
      {Severity::error, code, IssueKind::form, std::string{diagnostics}, std::move(path)});
}

}  // namespace vesper::decoding
