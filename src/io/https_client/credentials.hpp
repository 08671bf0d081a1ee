#pragma once
#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <string>

#include "model/upstream.hpp"
#include "ports/clock.hpp"
#include "ports/http_fetch.hpp"

namespace vesper {

/// The Authorization header of one destination: none, a bearer token from a file, or an access
/// token of the OAuth2 client credentials grant.
///   Shape: the file is looked at again after a second and read when it has changed. An OAuth2
///   token is kept until shortly before it expires, asked for once however many wait for it, and
///   thrown away when the destination answers 401.
///   Errors: false when there is none to be had; why() says it in words without secrets.
///   Thread: its executor's only.
///   Source: RFC 6750; RFC 6749, 4.4 and 2.3.1 (client_secret_basic).
class Credentials {
 public:
  Credentials(const asio::any_io_executor& executor, const UpstreamSettings& settings,
              HttpFetch& fetch, Clock& clock);
  [[nodiscard]] bool none() const {
    return settings_.bearer_file.empty() && settings_.oauth_token_url.empty();
  }
  /// Leaves the header's value in value(); empty when none is needed.
  asio::awaitable<bool> ready(Deadline deadline);
  [[nodiscard]] const std::string& value() const { return value_; }
  void refused();  ///< the destination did not take what value() said
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  bool read_bearer(Instant now);
  asio::awaitable<bool> oauth(Deadline deadline);
  asio::awaitable<bool> ask_for_token(Deadline deadline);
  bool take_token(const FetchReply& reply, Instant asked_at);

  const UpstreamSettings& settings_;
  HttpFetch& fetch_;
  Clock& clock_;
  asio::steady_timer asked_;  ///< cancelled when the running question is answered
  bool asking_ = false;
  std::string value_, stamp_, why_;
  Instant look_again_{}, renew_at_{}, valid_until_{};
};

}  // namespace vesper
