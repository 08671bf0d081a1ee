#include "io/http/tls.hpp"

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vesper {
namespace {

using Made = std::expected<std::shared_ptr<asio::ssl::context>, TlsFault>;

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection holds less
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
}

Made make(const TlsSettings& settings) {
  if (auto checked = check_secret_file(settings.key_file); !checked)
    return std::unexpected(checked.error());
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  harden(context->native_handle());
  context->use_certificate_chain_file(settings.certificate_file, error);
  if (error)
    return std::unexpected(
        TlsFault{TlsError::not_usable, settings.certificate_file + ": " + error.message()});
  context->use_private_key_file(settings.key_file, asio::ssl::context::pem, error);
  if (error)
    return std::unexpected(
        TlsFault{TlsError::not_usable, settings.key_file + ": " + error.message()});
  if (SSL_CTX_check_private_key(context->native_handle()) != 1)
    return std::unexpected(
        TlsFault{TlsError::not_usable, settings.key_file + ": is not the key of the certificate"});
  return context;
}

}  // namespace

std::expected<void, TlsFault> check_secret_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return std::unexpected(TlsFault{TlsError::unreadable, path + ": " + std::strerror(errno)});
  if ((info.st_mode & S_IRWXO) != 0)
    return std::unexpected(TlsFault{TlsError::readable_by_others,
                                    path + ": others can read it; run chmod o-rwx on it"});
  return {};
}

std::expected<std::shared_ptr<TlsContext>, TlsFault> TlsContext::load(TlsSettings settings) {
  std::shared_ptr<TlsContext> tls{new TlsContext(std::move(settings))};
  if (auto loaded = tls->reload(); !loaded) return std::unexpected(loaded.error());
  return tls;
}

std::expected<void, TlsFault> TlsContext::reload() {
  auto made = make(settings_);
  if (!made) return std::unexpected(made.error());
  const std::lock_guard lock{mutex_};
  context_ = *std::move(made);
  return {};
}

}  // namespace vesper
