// vesper_naive: the service of the incident, written the way it was. Not an example; not shipped.
//
// It takes the same POST /patient/data as Vesper, so that the same generator drives both, and on a
// quiet evening it works: it checks the token and the form, keeps the diary, answers 201 and sends
// the bundle on. What is wrong with it, each where the code says so:
//
//   D1 unbounded work    every diary starts a task of its own that nobody counts, owns or limits
//   D2 no time-out       the task waits for the data platform for as long as that takes
//   D3 owed in memory    what is to be delivered exists in that task only: no outbox, no second try
//   D4 one mutex         the trial cache and the database handle share it; a miss reads the file,
//                        and each diary commits, while everybody else waits
//   D5 fresh buffers     64 KiB a read, a document tree a diary, a copy a step, all thrown away
//   D6 no connection kept   each delivery opens a socket of its own: descriptors follow the tasks
//   D7 nobody is refused    no limit on connections, requests, bytes; no deadline on reading either
//   D8 the token is verified anew for each request, before nothing and after nothing
//
// GET /debug/vars tells the figures that would have shown it: tasks, deliveries waiting.
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/asio.hpp>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/encoding.hpp"
#include "stages/journal/delivery_id.hpp"

#include "naive_bundle.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using nlohmann::json;

struct Settings {
  std::string listen = "127.0.0.1:0", keys_file, trial_file, journal_file, platform_host;
  std::string platform_port, platform_path = "/api/sync";
  int threads = 2;
};

struct Figures {
  std::atomic<std::int64_t> connections{0}, deliveries{0};
  std::atomic<std::uint64_t> accepted{0}, refused{0}, delivered{0}, undelivered{0};
};

struct Request {
  std::string method, target, authorization, body;
};

std::string read_file(const std::string& name) {
  std::ifstream in{name, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + name);
  return out.str();
}

std::string sha256_hex(const std::string& text) {
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  vesper::append_hex(out, digest);
  return out;
}

/// The trials it has seen, and the database: both behind one mutex (D4).
class Store {
 public:
  explicit Store(const Settings& settings) : settings_(settings) {
    if (sqlite3_open(settings.journal_file.c_str(), &database_) != SQLITE_OK)
      throw std::runtime_error("cannot open " + settings.journal_file);
    sqlite3_exec(database_,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                 "CREATE TABLE IF NOT EXISTS diary(id TEXT PRIMARY KEY, source BLOB, bundle BLOB)",
                 nullptr, nullptr, nullptr);
  }
  ~Store() { sqlite3_close(database_); }

  std::shared_ptr<const json> trial(const std::string& id) {
    const std::scoped_lock lock{mutex_};
    if (const auto known = trials_.find(id); known != trials_.end()) return known->second;
    auto read = std::make_shared<const json>(json::parse(read_file(settings_.trial_file)));
    if (read->at("id") != id) return nullptr;
    return trials_[id] = read;
  }

  /// False when it has the id already.
  bool keep(const std::string& id, const std::string& source, const std::string& bundle) {
    const std::scoped_lock lock{mutex_};
    sqlite3_stmt* insert = nullptr;  // prepared anew for each diary (D5)
    sqlite3_prepare_v2(database_, "INSERT OR IGNORE INTO diary VALUES(?,?,?)", -1, &insert,
                       nullptr);
    sqlite3_bind_text(insert, 1, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT);
    sqlite3_bind_blob(insert, 2, source.data(), static_cast<int>(source.size()), SQLITE_TRANSIENT);
    sqlite3_bind_blob(insert, 3, bundle.data(), static_cast<int>(bundle.size()), SQLITE_TRANSIENT);
    const int done = sqlite3_step(insert);
    sqlite3_finalize(insert);
    if (done != SQLITE_DONE) throw std::runtime_error("the database refuses");
    return sqlite3_changes(database_) == 1;
  }

 private:
  const Settings& settings_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const json>> trials_;
  sqlite3* database_ = nullptr;
};

class Service {
 public:
  Service(const Settings& settings, asio::io_context& context)
      : settings_(settings), context_(context), store_(settings) {
    const json keys = json::parse(read_file(settings.keys_file));
    for (const json& key : keys.at("keys"))
      if (key.value("alg", "") == "HS256")
        (void)vesper::decode_base64url(key.at("k").get<std::string>(), secret_);
  }

  asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    for (;;) {
      auto [failed, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (failed) {  // out of descriptors: all it can do is try again
        asio::steady_timer pause{context_, std::chrono::milliseconds{100}};
        co_await pause.async_wait(asio::use_awaitable);
        continue;
      }
      asio::co_spawn(context_, serve(std::move(socket)), asio::detached);  // D1, D7
    }
  }

 private:
  asio::awaitable<void> serve(tcp::socket socket) {
    const Counted here{figures_.connections};
    std::string received;
    for (;;) {
      Request request;
      if (!co_await read(socket, received, request)) co_return;
      const std::string answer = answer_to(request);
      co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    }
  }

  // No limit, no deadline (D7); a fresh buffer for each part (D5).
  asio::awaitable<bool> read(tcp::socket& socket, std::string& received, Request& request) {
    std::size_t head = std::string::npos, length = 0;
    for (;;) {
      if (head == std::string::npos && (head = received.find("\r\n\r\n")) != std::string::npos)
        length = read_head(received.substr(0, head + 2), request);
      if (head != std::string::npos && received.size() >= head + 4 + length) break;
      std::vector<char> part(64 * 1024);
      auto [failed, size] =
          co_await socket.async_read_some(asio::buffer(part), asio::as_tuple(asio::use_awaitable));
      if (failed) co_return false;
      received = received + std::string(part.data(), size);
    }
    request.body = received.substr(head + 4, length);
    received = received.substr(head + 4 + length);
    co_return true;
  }

  static std::size_t read_head(const std::string& head, Request& request) {
    std::istringstream lines{head};
    lines >> request.method >> request.target;
    std::string line;
    std::size_t length = 0;
    while (std::getline(lines, line)) {
      const std::size_t colon = line.find(": ");
      if (colon == std::string::npos) continue;
      std::string name = line.substr(0, colon), value = line.substr(colon + 2);
      if (value.ends_with('\r')) value.pop_back();
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (name == "content-length") length = std::stoul(value);
      if (name == "authorization") request.authorization = value;
    }
    return length;
  }

  std::string answer_to(const Request& request) {
    try {
      if (request.method == "GET" && request.target == "/debug/vars") return reply(200, vars());
      if (request.method == "GET") return reply(200, {{"status", "alive"}});
      if (request.method == "POST" && request.target == "/patient/data") return take(request);
      return reply(404, {{"error", "no such route"}});
    } catch (const std::exception& fault) {
      ++figures_.refused;
      return reply(500, {{"error", fault.what()}});
    }
  }

  std::string take(const Request& request) {
    const json claims = verify(request.authorization);  // D8
    if (claims.is_null()) return refuse(401, "the token is not good");
    const json diary = json::parse(request.body, nullptr, false);
    if (diary.is_discarded()) return refuse(400, "not JSON");
    const std::string subject = diary.at("subjectId"), trial_id = diary.at("trialId");
    if (claims.at("sub") != subject || claims.at("trial") != trial_id)
      return refuse(403, "somebody else's diary");
    const auto trial = store_.trial(trial_id);
    if (trial == nullptr) return refuse(422, "no such trial");
    const auto submission = vesper::parse_uuid(diary.at("submissionId").get<std::string>());
    if (!submission) return refuse(400, "no submission id");
    const std::string delivery =
        to_string(vesper::delivery_id(trial_id, vesper::PatientText{subject}, *submission));
    const std::string hash = "sha256:" + sha256_hex(request.body);
    const std::string bundle = naive_bundle(diary, *trial, delivery).dump();
    if (store_.keep(delivery, request.body, bundle))
      asio::co_spawn(context_, deliver(delivery, hash, bundle), asio::detached);  // D1, D3
    ++figures_.accepted;
    return reply(201, {{"submissionId", diary.at("submissionId")},
                       {"deliveryId", delivery},
                       {"contentHash", hash},
                       {"disposition", "accepted"}});
  }

  // No deadline (D2), a socket of its own (D6), no second try and nobody told (D3).
  asio::awaitable<void> deliver(std::string delivery, std::string hash, std::string bundle) {
    const Counted here{figures_.deliveries};
    try {
      tcp::socket socket{context_};
      tcp::resolver resolver{context_};
      const auto places = co_await resolver.async_resolve(
          settings_.platform_host, settings_.platform_port, asio::use_awaitable);
      co_await asio::async_connect(socket, places, asio::use_awaitable);
      std::ostringstream request;
      request << "POST " << settings_.platform_path
              << " HTTP/1.1\r\nHost: " << settings_.platform_host
              << "\r\nContent-Type: application/fhir+json\r\n"
              << "Idempotency-Key: \"" << delivery << "\"\r\nVesper-Content-Hash: " << hash
              << "\r\ntraceparent: 00-" << sha256_hex(delivery).substr(0, 32) << "-"
              << sha256_hex(hash).substr(0, 16)
              << "-01\r\nConnection: close\r\nContent-Length: " << bundle.size() << "\r\n\r\n"
              << bundle;
      const std::string text = request.str();
      co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
      std::string answer;
      co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n",
                                      asio::use_awaitable);
      ++(answer.starts_with("HTTP/1.1 2") ? figures_.delivered : figures_.undelivered);
    } catch (const std::exception&) {
      ++figures_.undelivered;
    }
  }

  json verify(const std::string& authorization) const {
    const std::string token = authorization.substr(std::min<std::size_t>(7, authorization.size()));
    const std::size_t first = token.find('.'), second = token.find('.', first + 1);
    if (first == std::string::npos || second == std::string::npos) return nullptr;
    const std::string signed_part = token.substr(0, second);
    unsigned char mac[32];
    unsigned size = sizeof mac;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), mac,
         &size);
    const std::string expected =
        vesper::encode_base64url({reinterpret_cast<const char*>(mac), size});
    std::string claims;
    if (expected != token.substr(second + 1) ||
        !vesper::decode_base64url(token.substr(first + 1, second - first - 1), claims))
      return nullptr;
    return json::parse(claims);
  }

  json vars() const {
    const std::int64_t connections = figures_.connections, deliveries = figures_.deliveries;
    return {{"tasks", connections + deliveries},         {"connections", connections},
            {"deliveries_waiting", deliveries},          {"accepted", figures_.accepted.load()},
            {"refused", figures_.refused.load()},        {"delivered", figures_.delivered.load()},
            {"undelivered", figures_.undelivered.load()}};
  }

  std::string refuse(int status, const char* why) {
    ++figures_.refused;
    return reply(status, {{"error", why}});
  }

  static std::string reply(int status, const json& body) {
    const std::string text = body.dump();
    std::ostringstream out;
    out << "HTTP/1.1 " << status
        << " X\r\nContent-Type: application/json\r\nContent-Length: " << text.size() << "\r\n\r\n"
        << text;
    return out.str();
  }

  struct Counted {
    explicit Counted(std::atomic<std::int64_t>& n) : count(n) { ++count; }
    ~Counted() { --count; }
    std::atomic<std::int64_t>& count;
  };

  const Settings& settings_;
  asio::io_context& context_;
  Store store_;
  std::string secret_;
  Figures figures_;
};

void run(const Settings& settings) {
  asio::io_context context;
  Service service{settings, context};
  const std::size_t colon = settings.listen.rfind(':');
  tcp::acceptor acceptor{
      context,
      {asio::ip::make_address(settings.listen.substr(0, colon)),
       static_cast<std::uint16_t>(std::stoi(settings.listen.substr(colon + 1)))}};
  asio::co_spawn(context, service.accept(acceptor), asio::detached);
  std::ostringstream address;
  address << "http://" << acceptor.local_endpoint();
  std::cout << json{{"event.action", "listening"},
                    {"intake", address.str()},
                    {"admin", address.str()}}
                   .dump()
            << std::endl;
  std::vector<std::jthread> threads;
  for (int i = 1; i < settings.threads; ++i) threads.emplace_back([&] { context.run(); });
  context.run();
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  std::string platform = "http://127.0.0.1:9090";
  CLI::App app{"The service of the incident, to be measured beside Vesper. Not an example."};
  app.add_option("--listen", settings.listen)->capture_default_str();
  app.add_option("--keys", settings.keys_file, "JWK set with an HS256 key")->required();
  app.add_option("--trial", settings.trial_file, "trial document")->required();
  app.add_option("--journal", settings.journal_file, "SQLite file")->required();
  app.add_option("--platform", platform, "URL of the data platform")->capture_default_str();
  app.add_option("--threads", settings.threads)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const std::string host = platform.substr(platform.find("//") + 2);
  settings.platform_host = host.substr(0, host.find(':'));
  settings.platform_port = host.substr(host.find(':') + 1);
  run(settings);
} catch (const std::exception& fault) {
  std::cerr << "vesper_naive: " << fault.what() << "\n";
  return 2;
}
