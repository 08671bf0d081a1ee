#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "app/config_key.hpp"
#include "app/config_load.hpp"

namespace vesper {
namespace {

// A folder of its own with a configuration file in it.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "vesper-config-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream{path / name} << text;
    return path / name;
  }
  std::filesystem::path path;
};

constexpr const char* one_issuer =
    "[[access.issuer]]\nissuer = \"https://id.example\"\naudience = \"vesper\"\n"
    "jwks = \"keys.json\"\n";

std::expected<Config, ConfigFaults> load(const std::string& text,
                                         const ConfigEnvironment& environment = {}) {
  const Folder folder;
  return load_config(folder.write("vesper.toml", text), environment);
}

std::string faults_of(const std::string& text, const ConfigEnvironment& environment = {}) {
  const auto config = load(text, environment);
  std::string all;
  if (!config)
    for (const std::string& fault : config.error()) all += fault + "\n";
  return all;
}

TEST(Config, TheFileOfTheContractIsTaken) {
  const Folder folder;
  const auto config = load_config(folder.write("vesper.toml", R"(
[intake]
listen = "127.0.0.1:8080"
[admin]
listen = "127.0.0.1:6060"
[journal]
url = "sqlite:data/vesper.db"
[[access.issuer]]
issuer = "https://id.example"
audience = "vesper"
jwks = "keys.json"
scopes = ["patient", "site", "service", "trial-admin", "ops"]
[upstream.default]
url = "http://127.0.0.1:9090"
settle = "2xx"
)"),
                                  {});
  ASSERT_TRUE(config) << config.error().front();
  EXPECT_EQ(config->intake.listen, (ListenAddress{"127.0.0.1", 8080}));
  EXPECT_EQ(config->journal.sqlite_file, folder.path / "data/vesper.db");
  ASSERT_EQ(config->issuers.size(), 1u);
  EXPECT_EQ(config->issuers[0].jwks, (folder.path / "keys.json").string());
  EXPECT_EQ(config->issuers[0].scopes.size(), 5u);
  ASSERT_EQ(config->upstreams.size(), 1u);
  EXPECT_EQ(config->upstreams[0].name, "default");
  EXPECT_EQ(config->upstreams[0].path, "/api/sync");
  EXPECT_EQ(config->upstreams[0].deadline, std::chrono::seconds{5});
  EXPECT_EQ(config->upstreams[0].concurrency_max, 64u);
  EXPECT_EQ(config->intake.body_max_bytes, 1'048'576u);
}

TEST(Config, WithoutAFileDefaultsAreInForce) {
  const auto config = load_config(std::nullopt, {}, {.issuers = false});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->intake.listen, (ListenAddress{"127.0.0.1", 8080}));
  EXPECT_EQ(config->admin.listen, (ListenAddress{"127.0.0.1", 6060}));
  EXPECT_EQ(config->log.level, LogLevel::info);
  EXPECT_TRUE(config->upstreams.empty());
}

TEST(Config, EveryDefaultIsInItsOwnRange) {
  for (const ConfigKey& key : config_keys())
    if (!key.standard.empty())
      EXPECT_TRUE(check_config_text(key, key.standard, "/")) << key.section << "." << key.name;
}

TEST(Config, EveryNumberIsTakenAtItsEdgesAndRefusedPastThem) {
  int numbers = 0;
  for (const ConfigKey& key : config_keys()) {
    if (key.kind != ConfigKind::number) continue;
    ++numbers;
    EXPECT_TRUE(check_config_value(key, key.least, "/")) << key.name;
    EXPECT_TRUE(check_config_value(key, key.most, "/")) << key.name;
    for (const std::int64_t bad : {key.least - 1, key.most + 1}) {
      const auto refused = check_config_value(key, bad, "/");
      ASSERT_FALSE(refused) << key.name << " = " << bad;
      EXPECT_NE(refused.error().find(describe_range(key)), std::string::npos);
    }
    EXPECT_FALSE(check_config_value(key, 1.5, "/")) << key.name;
    EXPECT_FALSE(check_config_value(key, std::string("1"), "/")) << key.name;
    EXPECT_FALSE(check_config_text(key, "1x", "/")) << key.name;
  }
  EXPECT_GT(numbers, 20);
}

TEST(Config, FaultNamesPlaceKeyValueAndRange) {
  EXPECT_EQ(faults_of(std::string(one_issuer) + "[intake]\nshards = 257\n"),
            "vesper.toml:6: intake.shards = 257: must be 0 to 256\n");
  EXPECT_EQ(faults_of(std::string(one_issuer) + "[log]\nlevel = \"loud\"\n"),
            "vesper.toml:6: log.level = \"loud\": must be one of debug, info, warn, error\n");
  EXPECT_EQ(faults_of(one_issuer, {{"VESPER__INTAKE__SHARDS", "many"}}),
            "environment VESPER__INTAKE__SHARDS: intake.shards = \"many\": must be 0 to 256\n");
}

TEST(Config, UnknownNamesAreRefusedWithTheNearestKnownOne) {
  const std::string lead = one_issuer;
  EXPECT_EQ(faults_of(lead + "[intake]\nlisten_adress = \"127.0.0.1:1\"\nlisen = 1\n"),
            "vesper.toml:7: intake.lisen: no such key; did you mean `listen`?\n"
            "vesper.toml:6: intake.listen_adress: no such key\n");
  EXPECT_EQ(faults_of(lead + "[intakes]\n"),
            "vesper.toml:5: intakes: no such section; did you mean `intake`?\n");
  EXPECT_EQ(
      faults_of(lead + "[access]\nissuers = 1\n").find("no such section") == std::string::npos,
      false);
  EXPECT_EQ(faults_of(lead, {{"VESPER__INTAKE__LISTN", "127.0.0.1:1"}}),
            "environment VESPER__INTAKE__LISTN: intake.listn: no such key; did you mean "
            "`listen`?\n");
  EXPECT_EQ(faults_of(lead, {{"VESPER__INTAK__LISTEN", "127.0.0.1:1"}}),
            "environment VESPER__INTAK__LISTEN: no such key; did you mean "
            "`VESPER__INTAKE__LISTEN`?\n");
  EXPECT_NE(faults_of(lead, {{"VESPER__", ""}}), "");
  EXPECT_NE(faults_of(lead, {{"VESPER__INTAKE", ""}}), "");
  EXPECT_NE(faults_of(lead, {{"VESPER__INTAKE__LISTEN__X", ""}}), "");
}

TEST(Config, EnvironmentOverridesTheFile) {
  const auto config = load(std::string(one_issuer) +
                               "[intake]\nlisten = \"127.0.0.1:8080\"\n[upstream.Site-A]\n"
                               "url = \"http://127.0.0.1:1\"\n",
                           {{"VESPER__ACCESS__ISSUER__0__ALGORITHMS", "k1=ES256, k2=EdDSA"},
                            {"VESPER__ACCESS__ISSUER__0__SCOPES", "patient,ops"},
                            {"VESPER__ACCESS__ISSUER__1__AUDIENCE", "vesper"},
                            {"VESPER__ACCESS__ISSUER__1__ISSUER", "https://staff.example"},
                            {"VESPER__ACCESS__ISSUER__1__JWKS", "https://staff.example/keys"},
                            {"VESPER__INTAKE__LISTEN", "127.0.0.1:0"},
                            {"VESPER__UPSTREAM__EXTRA__URL", "https://extra.example"},
                            {"VESPER__UPSTREAM__SITE_A__URL", "http://127.0.0.1:2"}});
  ASSERT_TRUE(config) << config.error().front();
  EXPECT_EQ(config->intake.listen.port, 0);
  ASSERT_EQ(config->issuers.size(), 2u);
  EXPECT_EQ(config->issuers[0].algorithms.at("k2"), "EdDSA");
  EXPECT_EQ(config->issuers[0].scopes, (std::vector<std::string>{"patient", "ops"}));
  EXPECT_EQ(config->issuers[1].jwks, "https://staff.example/keys");
  EXPECT_TRUE(config->issuers[1].remote_keys());
  ASSERT_EQ(config->upstreams.size(), 2u);
  EXPECT_EQ(config->upstreams[0].name, "Site-A");
  EXPECT_EQ(config->upstreams[0].url, "http://127.0.0.1:2");
  EXPECT_EQ(config->upstreams[1].name, "extra");
}

TEST(Config, OnlyNamesThatBeginWithThePrefixAreConfiguration) {
  char a[] = "VESPER_CORPORA=/x", b[] = "VESPER__LOG__LEVEL=warn", c[] = "PATH=/bin",
       d[] = "VESPER_=1";
  char* environment[] = {a, b, c, d, nullptr};
  EXPECT_EQ(config_environment(environment), (ConfigEnvironment{{"VESPER__LOG__LEVEL", "warn"}}));
}

TEST(Config, SecretsComeFromFilesAndAreNeverPrinted) {
  const Folder folder;
  folder.write("secret", "s3cret\n");
  folder.write("listen", "127.0.0.1:9\n");
  const std::string upstream =
      "[upstream.a]\nurl = \"https://a.example\"\noauth2_token_url = \"https://a.example/t\"\n"
      "oauth2_client_id = \"v\"\n";
  auto config =
      load_config(folder.write("vesper.toml",
                               one_issuer + upstream + "oauth2_client_secret_file = \"secret\"\n"),
                  {{"VESPER__INTAKE__LISTEN_FILE", "listen"}});
  ASSERT_TRUE(config) << config.error().front();
  EXPECT_EQ(config->upstreams[0].oauth2_client_secret, "s3cret");
  EXPECT_EQ(config->intake.listen.port, 9);
  config = load_config(
      folder.write("vesper.toml", one_issuer + upstream + "oauth2_client_secret = [\"s3cret\"]\n"),
      {});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error()[0].find("s3cret"), std::string::npos) << config.error()[0];
  config = load_config(
      folder.write("vesper.toml", one_issuer + upstream + "oauth2_client_secret_file = \"no\"\n"),
      {});
  ASSERT_FALSE(config);
  EXPECT_NE(config.error()[0].find("must be a readable file"), std::string::npos);
}

TEST(Config, OnlySecretsMayBeAFileInTheConfigurationFile) {
  EXPECT_NE(faults_of(std::string(one_issuer) + "[intake]\nlisten_file = \"x\"\n"), "");
}

TEST(Config, ContradictionsAreRefused) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const Case& c : {
           Case{"[admin]\nlisten = \"0.0.0.0:6060\"\n", "admin.authentication"},
           Case{"[admin]\nlisten = \"[::]:6060\"\n", "admin.authentication"},
           Case{"[intake]\nlisten = \"127.0.0.1:6060\"\n", "must differ"},
           Case{"[intake]\ntls_key = \"k\"\n", "intake.tls_certificate: missing"},
           Case{"[upstream.a]\npath = \"/x\"\n", "upstream.a.url: missing"},
           Case{"[upstream.a]\nurl = \"http://a.example\"\n", "allow_plain_http"},
           Case{"[upstream.a]\nurl = \"https://a\"\ntls_certificate = \"c\"\n", "tls_key: missing"},
           Case{"[upstream.a]\nurl = \"https://a\"\noauth2_client_id = \"c\"\n", "go together"},
           Case{"[upstream.a]\nurl = \"https://a\"\nbackoff_min_ms = 400000\n", "backoff_max_ms"},
           Case{one_issuer, "two tables"},
           Case{"[upstream]\nurl = \"https://a\"\n", "must be a table"},
           Case{"[upstream.\"a b\"]\nurl = \"https://a\"\n", "letters, digits"},
           Case{"[intake]\nshards = 1.5\n", "must be 0 to 256"},
           Case{"[intake]\nshards = 1979-05-27\n", "must be 0 to 256"},
           Case{"[intake]\nlisten = \"example.com:80\"\n", "ADDRESS:PORT"},
           Case{"[intake]\nlisten = \"127.0.0.1:65536\"\n", "ADDRESS:PORT"},
           Case{"[intake]\nlisten = \"127.0.0.1\"\n", "ADDRESS:PORT"},
           Case{"[journal]\nurl = \"postgresql://x\"\n", "sqlite:FILE"},
           Case{"intake = 1\n", "must be a table"},
           Case{"[intake\n", "not TOML"},
       }) {
    // The top-level case must stand before any table.
    const std::string text = std::string_view(c.text).starts_with("intake")
                                 ? std::string(c.text) + one_issuer
                                 : one_issuer + std::string(c.text);
    EXPECT_NE(faults_of(text).find(c.says), std::string::npos) << text << faults_of(text);
  }
}

TEST(Config, TokenPermitsAnAdminPortOffLoopback) {
  EXPECT_EQ(faults_of(std::string(one_issuer) +
                      "[admin]\nlisten = \"0.0.0.0:6060\"\nauthentication = \"token\"\n"),
            "");
}

TEST(Config, ServerWithoutIssuersIsRefused) {
  EXPECT_NE(faults_of("").find("[[access.issuer]]"), std::string::npos);
}

TEST(Config, GapInIssuerNumbersIsRefused) {
  EXPECT_NE(faults_of(one_issuer, {{"VESPER__ACCESS__ISSUER__2__ISSUER", "a"},
                                   {"VESPER__ACCESS__ISSUER__2__AUDIENCE", "a"},
                                   {"VESPER__ACCESS__ISSUER__2__JWKS", "a"}}),
            "");
}

TEST(Config, AbsentFileIsAFault) {
  const auto config = load_config("/nonexistent/vesper.toml", {});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error()[0], "/nonexistent/vesper.toml: cannot be read");
}

TEST(Config, EveryFaultIsToldAtOnce) {
  const auto config = load("[intake]\nshards = -1\nlisten = 3\n[nowhere]\n");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().size(), 3u);
}

}  // namespace
}  // namespace vesper
