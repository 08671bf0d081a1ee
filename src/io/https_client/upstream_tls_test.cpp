// Goal: who is not the server we mean gets no diary, and who must know us does.
// Method: certificates made here, a TLS server on loopback, the real client.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <filesystem>

#include "io/clock/system_clock.hpp"
#include "io/https_client/loopback_for_tests.hpp"
#include "io/https_client/upstream_client.hpp"

namespace vesper {
namespace {

namespace ssl = asio::ssl;
using Server = LoopbackServer;
using Trouble = UpstreamReply::Trouble;

/// A key and a certificate signed by `issuer`, or by itself.
struct Identity {
  explicit Identity(const std::string& name, const Identity* issuer, const std::string& names) {
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
    X509_set_pubkey(certificate, key);
    auto* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate,
                         issuer ? X509_get_subject_name(issuer->certificate) : subject);
    extend(NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (!names.empty()) extend(NID_subject_alt_name, names);
    X509_sign(certificate, issuer ? issuer->key : key, EVP_sha256());
  }
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  Identity(const Identity&) = delete;

  void extend(int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  void write(const std::string& certificate_file, const std::string& key_file) const {
    if (FILE* file = std::fopen(certificate_file.c_str(), "w")) {
      PEM_write_X509(file, certificate);
      std::fclose(file);
    }
    if (FILE* file = std::fopen(key_file.c_str(), "w")) {
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
      std::fclose(file);
    }
  }
  static inline int serial = 0;
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

class UpstreamTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = ::testing::TempDir() + "vesper_tls_" + std::to_string(::getpid());
    std::filesystem::create_directory(folder);
    ca.write(path("ca.pem"), path("ca.key"));
    other_ca.write(path("other_ca.pem"), path("other_ca.key"));
    settings.name = "main";
    settings.ca_file = path("ca.pem");
  }
  void TearDown() override {
    client.reset();
    std::filesystem::remove_all(folder);
  }
  std::string path(const std::string& name) const { return folder + "/" + name; }

  void serve(const Identity& identity, bool wants_certificate = false) {
    identity.write(path("server.pem"), path("server.key"));
    tls.use_certificate_chain_file(path("server.pem"));
    tls.use_private_key_file(path("server.key"), ssl::context::pem);
    if (wants_certificate) {
      tls.load_verify_file(path("ca.pem"));
      tls.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    }
    server.emplace(context, [this](Server::Socket& socket, int) -> asio::awaitable<void> {
      ssl::stream<Server::Socket&> stream{socket, tls};
      if (std::get<0>(co_await stream.async_handshake(ssl::stream_base::server,
                                                      asio::as_tuple(asio::use_awaitable))))
        co_return;
      if (const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name))
        server_name = name;
      while (!(co_await Server::request(stream)).empty()) {
        ++requests;
        co_await Server::send(stream, Server::reply(200));
      }
    });
    settings.url = "https://localhost:" + server->port();
  }
  UpstreamReply post() {
    if (!client)
      client =
          std::make_unique<UpstreamClient>(context.get_executor(), clock, std::vector{settings});
    return run_to_end(context, client->post({.destination = "main",
                                             .delivery_id = {},
                                             .content_hash = {},
                                             .bundle = "{}",
                                             .traceparent = {}},
                                            Deadline{clock.now() + 5s}));
  }

  std::string folder;
  const Identity ca{"our CA", nullptr, ""}, other_ca{"another CA", nullptr, ""};
  asio::io_context context{1};
  SystemClock clock;
  ssl::context tls{ssl::context::tls_server};
  std::optional<Server> server;
  UpstreamSettings settings;
  std::unique_ptr<UpstreamClient> client;
  std::string server_name;
  int requests = 0;
};

TEST_F(UpstreamTlsTest, DeliversToTheServerOfOurAuthorityAndKeepsTheConnection) {
  serve(Identity{"server", &ca, "DNS:localhost,IP:127.0.0.1"});
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(server->connections(), 1);
  EXPECT_EQ(server_name, "localhost");
  client.reset();
  settings.url = "https://127.0.0.1:" + server->port();
  EXPECT_EQ(post().status, 200);
}

TEST_F(UpstreamTlsTest, SendsNothingToAnotherName) {
  serve(Identity{"server", &ca, "DNS:other.example"});
  EXPECT_EQ(post().trouble, Trouble::tls);
  EXPECT_EQ(requests, 0);
}

TEST_F(UpstreamTlsTest, SendsNothingToAnotherAuthority) {
  serve(Identity{"server", &other_ca, "DNS:localhost"});
  EXPECT_EQ(post().trouble, Trouble::tls);
  client.reset();
  settings.ca_file.clear();  // nor does the system's store know it
  EXPECT_EQ(post().trouble, Trouble::tls);
  EXPECT_EQ(requests, 0);
}

TEST_F(UpstreamTlsTest, ShowsItsCertificateWhereOneIsWanted) {
  serve(Identity{"server", &ca, "DNS:localhost"}, true);
  EXPECT_EQ(post().trouble, Trouble::tls);
  EXPECT_EQ(requests, 0);
  client.reset();
  const Identity us{"vesper", &ca, ""}, stranger{"stranger", &other_ca, ""};
  us.write(path("us.pem"), path("us.key"));
  settings.certificate_file = path("us.pem");
  settings.key_file = path("us.key");
  EXPECT_EQ(post().status, 200);
  client.reset();
  stranger.write(path("us.pem"), path("us.key"));
  EXPECT_EQ(post().trouble, Trouble::tls);
}

TEST_F(UpstreamTlsTest, WithoutItsFilesNothingIsSent) {
  serve(Identity{"server", &ca, "DNS:localhost"});
  settings.ca_file = path("missing.pem");
  EXPECT_EQ(post().trouble, Trouble::credentials);
  client.reset();
  settings.ca_file = path("ca.pem");
  settings.certificate_file = path("ca.pem");
  settings.key_file = path("other_ca.key");  // not the key of that certificate
  EXPECT_EQ(post().trouble, Trouble::credentials);
  EXPECT_EQ(requests, 0);
}

TEST_F(UpstreamTlsTest, PlainHttpFromATlsPortIsATlsFault) {
  server.emplace(context, [](Server::Socket& socket, int) -> asio::awaitable<void> {
    co_await Server::send(socket, "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n");
  });
  settings.url = "https://localhost:" + server->port();
  EXPECT_EQ(post().trouble, Trouble::tls);
}

TEST(TlsSource, TakesAChangedFileAndKeepsTheLastGoodOne) {
  const std::string file =
      ::testing::TempDir() + "vesper_ca_" + std::to_string(::getpid()) + ".pem";
  const Identity one{"one", nullptr, ""}, two{"two", nullptr, ""};
  one.write(file, file + ".key");
  TlsSource source{{file, {}, {}}};
  const auto first = source.get(Instant{1s});
  ASSERT_TRUE(first);
  EXPECT_EQ(*source.get(Instant{10s}), *first);
  std::filesystem::remove(file);
  EXPECT_EQ(*source.get(Instant{20s}), *first);
  EXPECT_NE(source.last_fault(), "");
  two.write(file, file + ".key");
  const auto second = source.get(Instant{30s});
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
  EXPECT_EQ(source.last_fault(), "");
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".key");
}

}  // namespace
}  // namespace vesper
