#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "app/command.hpp"
#include "io/https_client/tls_source.hpp"
#include "ports/http_fetch.hpp"

namespace vesper {

/// Talks to a running server for the commands with `--server`, one request at a time.
///   Shape:  takes server, token-file, ca-file and timeout-s from the invocation's options.
///   Errors: one sentence that names the address.
class ServerClient {
 public:
  [[nodiscard]] static std::expected<ServerClient, std::string> from(const Invocation& invocation);

  struct Question {
    std::string_view method = "GET";
    std::string_view path;  ///< with its query, percent-encoded
    std::string_view body = {};
    std::string_view headers = {};  ///< further lines, each ended by CRLF
  };
  [[nodiscard]] std::expected<FetchReply, std::string> ask(const Question& question) const;

  [[nodiscard]] const std::string& server() const { return server_; }
  [[nodiscard]] const std::string& token() const { return token_; }  ///< empty: none
  [[nodiscard]] TlsFiles tls_files() const {
    return {.ca_file = ca_file_, .certificate_file = {}, .key_file = {}};
  }

 private:
  ServerClient() = default;
  std::string server_, token_, ca_file_;
  Duration timeout_{};
};

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// True when `text` may stand in a header line: no control characters.
[[nodiscard]] bool header_safe(std::string_view text);

}  // namespace vesper
