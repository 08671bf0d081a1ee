#pragma once
#include <boost/asio/ssl/context.hpp>
#include <expected>
#include <memory>
#include <mutex>
#include <string>

namespace vesper {

namespace asio = boost::asio;

/// Where a listener's certificate comes from. Both empty: plain TCP.
struct TlsSettings {
  std::string certificate_file;  ///< PEM, the server's certificate first, then its chain
  std::string key_file;          ///< PEM, not readable by others
  [[nodiscard]] bool enabled() const { return !certificate_file.empty() || !key_file.empty(); }
};

enum class TlsError : unsigned char { unreadable, readable_by_others, not_usable };

/// `text` names the file and the reason; safe to print.
struct TlsFault {
  TlsError code;
  std::string text;
};

/// Whether only the owner and the group can read a file that holds a secret.
[[nodiscard]] std::expected<void, TlsFault> check_secret_file(const std::string& path);

/// The certificate in force. TLS 1.2 and 1.3, forward secrecy and authenticated ciphers only, no
/// compression, no renegotiation.
///   Thread: any; a connection keeps the context it began with.
///   Why:    a mutex, since std::atomic<std::shared_ptr> of libstdc++ 12 races (its load unlocks
///           without release); one is taken a connection, not a request.
class TlsContext {
 public:
  [[nodiscard]] static std::expected<std::shared_ptr<TlsContext>, TlsFault> load(
      TlsSettings settings);
  /// Reads the files again; on a fault the certificate in force stays.
  [[nodiscard]] std::expected<void, TlsFault> reload();
  [[nodiscard]] std::shared_ptr<asio::ssl::context> current() const {
    const std::lock_guard lock{mutex_};
    return context_;
  }

 private:
  explicit TlsContext(TlsSettings settings) : settings_(std::move(settings)) {}
  TlsSettings settings_;
  mutable std::mutex mutex_;
  std::shared_ptr<asio::ssl::context> context_;  // under mutex_
};

}  // namespace vesper
