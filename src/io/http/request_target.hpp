#pragma once
#include <string_view>

#include "io/http/request_parser.hpp"

namespace vesper {

/// Whether `text` is a host with an optional port: a reg-name, IPv4 or bracketed IPv6 address.
///   Why: a comma, though RFC 3986 allows it in names, is what two joined Host lines look like; an
///   empty name is refused as the http scheme does.
[[nodiscard]] bool is_host(std::string_view text);

/// Splits the target into head.path and head.query.
///   Shape: origin-form; `*` for OPTIONS; absolute-form when its authority equals `host`, so that
///   nobody need choose between them. CONNECT is 501.
///   Errors: a fault with status 400 or 501; status 0 when fine.
[[nodiscard]] HttpFault split_target(std::string_view target, std::string_view host,
                                     RequestHead& head);

}  // namespace vesper
