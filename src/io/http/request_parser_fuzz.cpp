// Whatever the bytes: the parser stays within them, a prefix never contradicts the whole, and what
// a head says of its framing is consistent.
#include <array>
#include <cstdint>
#include <string_view>

#include "base/ensure.hpp"
#include "io/http/chunked_body.hpp"
#include "io/http/request_parser.hpp"

namespace {

using namespace vesper;

void check_prefixes(std::string_view bytes, const ParsedHead& whole) {
  std::array<Header, header_room> room;
  const HeadLimits limits;
  const std::size_t step = bytes.size() > 512 ? bytes.size() / 64 : 1;
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    RequestHead head;
    const auto part = parse_request_head(bytes.substr(0, size), room, head, limits);
    if (part.state == ParseState::more) continue;
    ensure(part.state == whole.state && part.bytes == whole.bytes);
    ensure(part.fault.status == whole.fault.status);
  }
}

void check_head(std::string_view bytes, const RequestHead& head, const ParsedHead& parsed) {
  ensure(parsed.bytes <= bytes.size());
  ensure(bytes.substr(0, parsed.bytes).ends_with("\r\n\r\n"));
  ensure(!head.path.empty() && !head.method_name.empty());
  ensure(!(head.chunked && head.has_content_length));
  ensure(head.minor_version == 1 || !head.chunked);
  std::size_t hosts = 0;
  (void)head.find("host", &hosts);
  ensure(hosts <= 1 && (hosts == 1 || head.minor_version == 0));
}

struct Decoded {
  ParseState state = ParseState::more;
  std::uint16_t status = 0;
  std::size_t consumed = 0, data = 0;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, std::size_t piece) {
  ChunkedDecoder decoder{100'000};
  Decoded out;
  while (out.consumed < bytes.size() && out.state == ParseState::more) {
    const auto step = decoder.next(bytes.substr(out.consumed, piece));
    out.consumed += step.consumed;
    out.data += step.data.size();
    out.state = step.state;
    out.status = step.fault.status;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  std::array<Header, header_room> room;
  RequestHead head;
  const HeadLimits limits;
  const auto parsed = parse_request_head(bytes, room, head, limits);
  if (parsed.state == ParseState::complete) check_head(bytes, head, parsed);
  ensure((parsed.state == ParseState::fault) == (parsed.fault.status != 0));
  check_prefixes(bytes, parsed);
  const auto body = parsed.state == ParseState::complete ? bytes.substr(parsed.bytes) : bytes;
  ensure(decode(body, body.size() + 1) == decode(body, 1));
  return 0;
}
