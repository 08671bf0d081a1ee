#include "io/https_client/tls_source.hpp"

#include <sys/stat.h>

#include <boost/asio/ssl.hpp>

namespace vesper {

namespace ssl = boost::asio::ssl;

std::string file_stamp(const std::string& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return {};
  return std::to_string(info.st_ino) + "/" + std::to_string(info.st_size) + "/" +
         std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + ";";
}

namespace {

std::expected<TlsSource::Context, std::string> load(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  boost::system::error_code failed;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv3 |
                           ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1,
                       failed);
  if (files.ca_file.empty())
    context->set_default_verify_paths(failed);
  else
    context->load_verify_file(files.ca_file, failed);
  if (failed)
    return std::unexpected("cannot read the CA file " + files.ca_file + ": " + failed.message());
  context->set_verify_mode(ssl::verify_peer, failed);
  if (files.certificate_file.empty()) return context;
  context->use_certificate_chain_file(files.certificate_file, failed);
  if (failed)
    return std::unexpected("cannot use the certificate " + files.certificate_file + ": " +
                           failed.message());
  context->use_private_key_file(files.key_file, ssl::context::pem, failed);
  if (failed || SSL_CTX_check_private_key(context->native_handle()) != 1)
    return std::unexpected("cannot use the key " + files.key_file +
                           ": unreadable, or not the key of the certificate");
  return context;
}

}  // namespace

std::expected<TlsSource::Context, std::string> TlsSource::get(Instant now) {
  if (context_ && now < look_again_) return context_;
  look_again_ = now + 1s;
  auto stamp = file_stamp(files_.ca_file) + file_stamp(files_.certificate_file) +
               file_stamp(files_.key_file);
  if (context_ && stamp == stamp_) return context_;
  auto loaded = load(files_);
  if (loaded) {
    context_ = std::move(*loaded);
    stamp_ = std::move(stamp);
    last_fault_.clear();
  } else {
    last_fault_ = loaded.error();
    if (!context_) return std::unexpected(last_fault_);
  }
  return context_;
}

}  // namespace vesper
