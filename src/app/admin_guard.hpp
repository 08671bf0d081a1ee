#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vesper {

/// What a request to the admin port shows of itself.
struct AdminRequest {
  std::string_view method;
  bool changes = false;         ///< the route changes something (or starts work): see the table
  bool health = false;          ///< /healthz, /readyz
  std::string_view host;        ///< the Host field as sent
  std::string_view origin;      ///< the Origin field; empty: not sent
  std::string_view fetch_site;  ///< Sec-Fetch-Site; empty: not sent
  bool ops_token = false;       ///< a valid token with scope ops came with it
};

struct AdminRules {
  bool token_needed = false;
  std::span<const std::string> allowed_hosts;  ///< beside loopback; without port
};

enum class AdminVerdict : std::uint8_t {
  allowed,
  wrong_method,    ///< 405
  unknown_host,    ///< 403: a rebound name, or a host that is not configured
  foreign_origin,  ///< 403
  token_missing    ///< 401
};

/// Decides whether a request to the admin port may proceed.
///   Why: a browser on the operator's machine reaches loopback for any page it shows. The Host
///   check defeats a rebound name, the Origin check a cross-site form; both apply to every route,
///   as what is read there is not for other sites either. Health routes answer load balancers,
///   which know no host name, and tell nothing.
[[nodiscard]] AdminVerdict judge_admin_request(const AdminRequest& request,
                                               const AdminRules& rules);

/// True for `localhost`, numeric loopback addresses and `allowed` names, with or without a port.
[[nodiscard]] bool admin_host_allowed(std::string_view host, std::span<const std::string> allowed);

}  // namespace vesper
