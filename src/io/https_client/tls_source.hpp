#pragma once
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "base/time.hpp"

namespace vesper {

struct TlsFiles {
  std::string ca_file;                     ///< trusted alone; empty: the system's store
  std::string certificate_file, key_file;  ///< both or none
};

/// The client's TLS context, made anew when one of its files changes.
///   Shape: TLS 1.2 or later, the peer's certificate always verified. Connections keep the context
///   they began with. A change that cannot be loaded keeps the last good one.
///   Errors: a sentence naming the file, when there is no good one.
class TlsSource {
 public:
  explicit TlsSource(TlsFiles files) : files_(std::move(files)) {}
  using Context = std::shared_ptr<boost::asio::ssl::context>;
  [[nodiscard]] std::expected<Context, std::string> get(Instant now);
  [[nodiscard]] const std::string& last_fault() const { return last_fault_; }

 private:
  TlsFiles files_;
  Context context_;
  std::string stamp_, last_fault_;
  Instant look_again_{};
};

/// What changes when a file does (size, time, inode); empty when it is not there.
[[nodiscard]] std::string file_stamp(const std::string& path);

}  // namespace vesper
