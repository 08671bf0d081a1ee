// Goal: TLS is served with sane protocols, certificates change without a restart, and a client
// that does not finish its handshake is let go.
// Method: an OpenSSL client against the real server, certificates made here.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "http/test_server.hpp"

namespace vesper::test {
namespace {

namespace fs = std::filesystem;
using Statuses = std::vector<int>;
template <class T, auto free_it>
struct Freed {
  void operator()(T* thing) const { free_it(thing); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL, SSL_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;

struct CertificateFiles {
  CertificateFiles() {
    char name[] = "/tmp/vesper-tls-XXXXXX";
    folder = ::mkdtemp(name);
    settings = {folder / "cert.pem", folder / "key.pem"};
  }
  ~CertificateFiles() { fs::remove_all(folder); }

  void write(const char* common_name) const {
    const Key key{EVP_EC_gen("P-256")};
    const Certificate certificate{X509_new()};
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    auto* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    FILE* out = std::fopen(settings.certificate_file.c_str(), "w");
    PEM_write_X509(out, certificate.get());
    std::fclose(out);
    out = std::fopen(settings.key_file.c_str(), "w");
    PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    ::chmod(settings.key_file.c_str(), 0600);
  }

  fs::path folder;
  TlsSettings settings;
};

/// An OpenSSL client over a RawClient's bytes: the handshake is seen, and can be cut, by the test.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, std::function<void()> pump, int version = TLS1_3_VERSION)
      : wire_(port, std::move(pump)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    if (version < TLS1_2_VERSION) SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    session_.reset(SSL_new(context_.get()));
    SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(session_.get());
  }

  bool handshake() {
    return drive([this] { return SSL_do_handshake(session_.get()); });
  }
  bool send(std::string_view bytes) {
    return drive(
        [&] { return SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())); });
  }
  /// Reads until `count` answers are there or the server ends.
  RawResponses read(std::size_t count) {
    char bytes[16 * 1024];
    RawResponses got;
    do {
      int size = 0;
      const bool more = drive([&] { return size = SSL_read(session_.get(), bytes, sizeof bytes); });
      if (!more) break;
      text_.append(bytes, static_cast<std::size_t>(size));
      got = split_responses(text_);
    } while (!got.fault.empty() || got.list.size() < count);
    return split_responses(text_);
  }
  std::string common_name() const {
    const Certificate certificate{SSL_get1_peer_certificate(session_.get())};
    char name[100]{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, 100);
    return name;
  }
  SSL* session() { return session_.get(); }
  RawClient& wire() { return wire_; }

 private:
  template <class Operation>
  bool drive(Operation operation) {
    for (int idle = 0; idle < 1000;) {
      const int result = operation();
      flush();
      if (result > 0) return true;
      if (SSL_get_error(session_.get(), result) != SSL_ERROR_WANT_READ) return false;
      if (feed() == 0) {
        if (wire_.ended()) return false;
        ++idle;
      }
    }
    return false;
  }
  void flush() {
    char bytes[16 * 1024];
    while (true) {
      const int size = BIO_read(SSL_get_wbio(session_.get()), bytes, sizeof bytes);
      if (size <= 0) return;
      wire_.send({bytes, static_cast<std::size_t>(size)});
    }
  }
  std::size_t feed() {
    wire_.try_send({});
    wire_.poll();
    const auto fresh = std::string_view{wire_.received()}.substr(fed_);
    BIO_write(SSL_get_rbio(session_.get()), fresh.data(), static_cast<int>(fresh.size()));
    fed_ += fresh.size();
    return fresh.size();
  }
  RawClient wire_;
  Context context_;
  Session session_;
  std::string text_;
  std::size_t fed_ = 0;
};

struct HttpTlsTest : testing::Test {
  HttpTlsTest() {
    files.write("first");
    tls = TlsContext::load(files.settings).value();
    host.emplace(HttpLimits{}, tls);
  }
  TlsClient client(int version = TLS1_3_VERSION) {
    return TlsClient{host->port, host->pumping(), version};
  }
  CertificateFiles files;
  std::shared_ptr<TlsContext> tls;
  std::optional<TestServer<>> host;
};

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(HttpTlsTest, ServesKeepAlivePipeliningAndLargeBodies) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto c = client(version);
    ASSERT_TRUE(c.handshake());
    c.send(get);
    EXPECT_EQ(nlohmann::json::parse(c.read(1).list.at(0).body)["secure"], true);
    c.send(std::string{get} + std::string{get});
    EXPECT_EQ(c.read(3).statuses(), (Statuses{200, 200, 200}));
    const std::string body(300'000, 'b');
    c.send("POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n");
    c.send(body);
    const auto got = c.read(4);
    ASSERT_EQ(got.list.size(), 4U);
    EXPECT_EQ(nlohmann::json::parse(got.list[3].body)["body"], body);
  }
}

TEST_F(HttpTlsTest, RefusesOldProtocolsAndWeakCiphers) {
  EXPECT_FALSE(client(TLS1_1_VERSION).handshake());
  EXPECT_FALSE(client(TLS1_VERSION).handshake());
  auto c = client(TLS1_2_VERSION);
  SSL_set_cipher_list(c.session(), "AES128-SHA:AES256-SHA256:AES128-GCM-SHA256:ECDHE+SHA384");
  EXPECT_FALSE(c.handshake());
}

TEST_F(HttpTlsTest, AFaultIsAnsweredAndTheConnectionEnds) {
  auto c = client();
  ASSERT_TRUE(c.handshake());
  c.send("GET /a b HTTP/1.1\r\n\r\n" + std::string{get});
  EXPECT_EQ(c.read(2).statuses(), Statuses{400});
  EXPECT_EQ(host->service.begun, 0);
}

TEST_F(HttpTlsTest, ReloadServesTheNewCertificateWithoutHarmToOldConnections) {
  auto old = client();
  ASSERT_TRUE(old.handshake());
  EXPECT_EQ(old.common_name(), "first");
  files.write("second");
  ASSERT_TRUE(tls->reload().has_value());
  auto fresh = client();
  ASSERT_TRUE(fresh.handshake());
  EXPECT_EQ(fresh.common_name(), "second");
  old.send(get);
  EXPECT_EQ(old.read(1).statuses(), Statuses{200});
}

// Of use under the thread sanitizer: shards take the context in force while the main thread
// reloads.
TEST_F(HttpTlsTest, ShardsTakeTheContextWhileItIsReloaded) {
  std::atomic<bool> over{false};
  std::atomic<int> taken{0}, empty{0};
  {
    std::vector<std::jthread> shards;
    for (int i = 0; i < 2; ++i)
      shards.emplace_back([&] {
        while (!over) {
          const auto context = tls->current();
          const Session session{SSL_new(context->native_handle())};
          empty += session == nullptr || SSL_get_certificate(session.get()) == nullptr ? 1 : 0;
          ++taken;
        }
      });
    for (int i = 0; i < 20 || taken < 200; ++i) ASSERT_TRUE(tls->reload().has_value());
    over = true;
  }
  EXPECT_EQ(empty, 0);
}

TEST_F(HttpTlsTest, ABadReloadKeepsTheCertificateInForce) {
  fs::resize_file(files.settings.certificate_file, 100);
  const auto refused = tls->reload();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, TlsError::not_usable);
  EXPECT_NE(refused.error().text.find("cert.pem"), std::string::npos);
  auto c = client();
  ASSERT_TRUE(c.handshake());
  EXPECT_EQ(c.common_name(), "first");
}

TEST_F(HttpTlsTest, RefusesAKeyThatOthersCanReadOrThatIsNotTheCertificates) {
  ::chmod(files.settings.key_file.c_str(), 0604);
  auto refused = tls->reload();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, TlsError::readable_by_others);
  ::chmod(files.settings.key_file.c_str(), 0640);
  EXPECT_TRUE(tls->reload().has_value());
  CertificateFiles other;
  other.write("other");
  const auto mixed = TlsContext::load({files.settings.certificate_file, other.settings.key_file});
  ASSERT_FALSE(mixed.has_value());
  EXPECT_EQ(mixed.error().code, TlsError::not_usable);
  EXPECT_EQ(TlsContext::load({"absent.pem", "absent.key"}).error().code, TlsError::unreadable);
}

TEST_F(HttpTlsTest, ASlowHandshakeAndAPlainClientAreLetGo) {
  RawClient silent{host->port, host->pumping()};
  RawClient plain{host->port, host->pumping()};
  plain.send(get);
  plain.read_to_end();
  EXPECT_EQ(plain.received().find("HTTP/"), std::string::npos);
  const auto took = host->time_to_end(silent, std::chrono::seconds{60});
  EXPECT_GE(took, std::chrono::seconds{10});
  EXPECT_LE(took, std::chrono::seconds{11});
  EXPECT_EQ(host->server.figures().connections, 0U);
}

TEST_F(HttpTlsTest, IdleAndSlowClientsAreLetGo) {
  auto idle = client(), slow = client();
  ASSERT_TRUE(idle.handshake() && slow.handshake());
  slow.send("GET /a HT");
  host->time_to_end(slow.wire(), std::chrono::seconds{60});
  EXPECT_EQ(slow.read(1).statuses(), Statuses{408});
  host->time_to_end(idle.wire(), std::chrono::seconds{200});
  EXPECT_TRUE(idle.read(1).list.empty());
  for (int i = 0; i < 5; ++i) host->advance(std::chrono::milliseconds{200});
  EXPECT_EQ(host->server.figures().connections, 0U);
}

}  // namespace
}  // namespace vesper::test
