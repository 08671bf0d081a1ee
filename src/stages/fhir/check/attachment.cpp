#include "stages/fhir/check/attachment.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vesper {
namespace {

// How many bytes the base64 text stands for; nothing when it is not base64. Blanks may break lines.
std::optional<std::uint64_t> decoded_size(std::string_view text) {
  std::uint64_t chars = 0, padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                        (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (c == '=')
      ++padding;
    else if (!letter || padding > 0)
      return {};
    ++chars;
  }
  if (chars % 4 != 0 || padding > 2) return {};
  return chars / 4 * 3 - padding;
}

// `image/png` and the range `image/*` of a form; parameters after `;` do not count.
bool type_matches(std::string_view permitted, std::string_view type) {
  type = type.substr(0, type.find(';'));
  const auto same = [](std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, {}, [](char c) { return c | 0x20; }, [](char c) { return c | 0x20; });
  };
  if (permitted.ends_with("/*"))
    return type.size() >= permitted.size() &&
           same(permitted.substr(0, permitted.size() - 1), type.substr(0, permitted.size() - 1));
  return permitted == "*" || same(permitted, type);
}

}  // namespace

void check_attachment(const FormItem& item, const Value& value, const FaultTeller& tell) {
  const std::string_view data = value.data.reveal();
  if (data.empty() && value.text.empty())
    tell(IssueCode::required, "the attachment has neither data nor a url");
  if (!data.empty() && value.code.empty())
    tell(IssueCode::required, "an attachment with data needs a contentType");
  if (!item.mime_types.empty() &&
      std::ranges::none_of(item.mime_types, [&](const std::string& permitted) {
        return type_matches(permitted, value.code.reveal());
      }))
    tell(IssueCode::value, "the attachment's contentType is not permitted");
  const auto size = decoded_size(data);
  if (!size) return tell(IssueCode::value, "the attachment's data is not base64");
  const auto stated =
      value.size_bytes < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(value.size_bytes);
  if (!data.empty() && value.size_bytes >= 0 && stated != *size)
    tell(IssueCode::value, "the attachment's data is not as long as its size states");
  if (item.max_size_bytes && std::max(*size, stated) > *item.max_size_bytes)
    tell(IssueCode::too_long,
         fmt::format("the attachment is larger than {} bytes", *item.max_size_bytes));
}

}  // namespace vesper
