// Any bytes, split anywhere: no crash, the bounds hold, and the split changes nothing.
#include <cstdint>
#include <cstdlib>

#include "io/https_client/response_parser.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};
  vesper::ResponseParser whole{64, 4096}, split{64, 4096};
  std::string_view a = text, b = text.substr(0, data[0] % (text.size() + 1)),
                   c = text.substr(b.size());
  const auto one = whole.feed(a);
  auto two = split.feed(b);
  if (two == vesper::ResponseParser::Progress::more) two = split.feed(c);
  if (one != two || whole.body().size() > 64) std::abort();
  if (one == vesper::ResponseParser::Progress::done &&
      (whole.body() != split.body() || whole.status() != split.status()))
    std::abort();
  return 0;
}
