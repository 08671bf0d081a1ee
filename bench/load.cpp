// vesper_load: offers diaries to an intake, closed loop (as fast as the answers come) or open loop
// (at a rate, each latency counted from the moment the diary was due: no coordinated omission).
// Prints one JSON line. Every patient has a token of her own, every diary a fresh UUIDv7.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/hmac.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "base/latency_histogram.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"

namespace {

using namespace vesper;

struct Options {
  int port = 0, connections = 64, patients = 20'000, pid = 0;
  double seconds = 10, warm_up_seconds = 2, rate = 0;
  std::string secret_file, kid = "bench", issuer = "https://id.example", audience = "vesper",
                           trial = "BENCH-01", diary_file, path = "/patient/data";
  std::uint64_t seed = 1;
};

Duration now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

std::string read_file(const std::string& name) {
  std::ifstream in{name, std::ios::binary};
  if (!in) throw std::runtime_error("cannot read " + name);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string token_for(const Options& options, const std::string& secret,
                      const std::string& subject) {
  const std::string head = R"({"alg":"HS256","typ":"JWT","kid":")" + options.kid + R"("})";
  const std::string claims = R"({"iss":")" + options.issuer + R"(","aud":")" + options.audience +
                             R"(","sub":")" + subject + R"(","trial":")" + options.trial +
                             R"(","scope":"patient","exp":)" +
                             std::to_string(time(nullptr) + 24 * 3600) + "}";
  std::string token = encode_base64url(head) + "." + encode_base64url(claims);
  unsigned char mac[32];
  unsigned size = sizeof mac;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac, &size);
  return token + "." + encode_base64url({reinterpret_cast<const char*>(mac), size});
}

// A diary as bytes, with the places where its id and its patient stand.
struct Template {
  std::string body;
  std::size_t id_at = 0, subject_at = 0;
};

Template load_template(const Options& options) {
  Template t{read_file(options.diary_file)};
  while (!t.body.empty() && (t.body.back() == '\n' || t.body.back() == ' ')) t.body.pop_back();
  const auto place = [&](const std::string& member, const std::string& value) {
    const std::size_t name = t.body.find("\"" + member + "\"");
    if (name == std::string::npos) throw std::runtime_error("the diary has no " + member);
    const std::size_t open = t.body.find('"', name + member.size() + 2);
    const std::size_t close = t.body.find('"', open + 1);
    t.body.replace(open + 1, close - open - 1, value);
    return open + 1;
  };
  place("trialId", options.trial);
  place("submissionId", std::string(36, '0'));
  place("subjectId", "S-000000");
  t.id_at = place("submissionId", std::string(36, '0'));
  t.subject_at = place("subjectId", "S-000000");
  t.id_at = place("submissionId", std::string(36, '0'));
  return t;
}

struct Connection {
  int fd = -1;
  bool busy = false;
  Duration due{}, sent{};
  std::string in;
};

class Load {
 public:
  Load(const Options& options, Template diary)
      : options_(options),
        diary_(std::move(diary)),
        random_(options.seed),
        poll_(epoll_create1(0)),
        connections_(static_cast<std::size_t>(options.connections)) {
    make_requests();
    for (auto& connection : connections_) connect(connection);
  }

  void run() {
    const Duration start = now();
    measure_from_ =
        start + std::chrono::nanoseconds{static_cast<std::int64_t>(options_.warm_up_seconds * 1e9)};
    const Duration end =
        measure_from_ + std::chrono::nanoseconds{static_cast<std::int64_t>(options_.seconds * 1e9)};
    next_due_ = start;
    bool measuring = false;
    for (Duration t = start; t < end; t = now()) {
      if (!measuring && t >= measure_from_) measuring = true, begin_measuring(t);
      offer(t);
      wait(t);
    }
    finish_measuring(now());
  }

 private:
  void make_requests() {
    const std::string secret = [&] {
      std::string out;
      const std::string text = read_file(options_.secret_file);
      const std::size_t k = text.find("\"k\"");
      const std::size_t open = text.find('"', k + 3), close = text.find('"', open + 1);
      if (k == std::string::npos || !decode_base64url(text.substr(open + 1, close - open - 1), out))
        throw std::runtime_error("the key file has no HS256 key");
      return out;
    }();
    for (int i = 0; i < options_.patients; ++i) {
      char subject[16];
      std::snprintf(subject, sizeof subject, "S-%06d", i);
      std::string body = diary_.body;
      std::memcpy(&body[diary_.subject_at], subject, 8);
      std::string head =
          "POST " + options_.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
          token_for(options_, secret, subject) +
          "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n";
      id_at_.push_back(head.size() + diary_.id_at);
      requests_.push_back(head + body);
    }
  }

  void connect(Connection& connection) {
    if (connection.fd >= 0) close(connection.fd);
    connection = Connection{};
    connection.fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect to the intake");
    const int one = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{EPOLLIN, {.ptr = &connection}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, connection.fd, &event);
    free_.push_back(&connection);
  }

  void send_on(Connection& connection, Duration due) {
    const std::size_t patient = random_.below(requests_.size());
    std::string& request = requests_[patient];
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    const Uuid id =
        uuid_v7(wall.tv_sec * 1000 + wall.tv_nsec / 1'000'000, random_.next(), random_.next());
    format_uuid(id, &request[id_at_[patient]]);
    connection.busy = true;
    connection.due = due;
    connection.sent = now();
    if (::send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      ++cut_;
      connect(connection);
    }
  }

  void offer(Duration t) {
    if (options_.rate <= 0) {
      while (!free_.empty()) {
        Connection* connection = free_.back();
        free_.pop_back();
        send_on(*connection, t);
      }
      return;
    }
    const auto gap = static_cast<double>(1'000'000'000) / options_.rate;
    while (next_due_ <= t) {
      waiting_.push_back(next_due_);
      next_due_ += Duration{static_cast<std::int64_t>(-gap * std::log(1.0 - random_.unit()))};
    }
    while (!waiting_.empty() && !free_.empty()) {
      Connection* connection = free_.back();
      free_.pop_back();
      const Duration due = waiting_.front();
      waiting_.pop_front();
      if (measuring_) late_.record(now() - due);
      send_on(*connection, due);
    }
  }

  void wait(Duration t) {
    epoll_event events[256];
    timespec timeout{0, 1'000'000};
    if (options_.rate > 0 && next_due_ > t)
      timeout.tv_nsec = std::min<long>(1'000'000, (next_due_ - t).count());
    const int n = epoll_pwait2(poll_, events, 256, &timeout, nullptr);
    for (int i = 0; i < n; ++i) receive(*static_cast<Connection*>(events[i].data.ptr));
  }

  void receive(Connection& connection) {
    char bytes[16384];
    const ssize_t n = recv(connection.fd, bytes, sizeof bytes, 0);
    if (n <= 0) {
      ++cut_;
      return connect(connection);
    }
    connection.in.append(bytes, static_cast<std::size_t>(n));
    const std::size_t head = connection.in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const std::size_t field = connection.in.find("Content-Length: ");
    const std::size_t length =
        field < head ? std::strtoul(connection.in.c_str() + field + 16, nullptr, 10) : 0;
    if (connection.in.size() < head + 4 + length) return;
    const int status = std::atoi(connection.in.c_str() + 9);
    const bool closing = connection.in.find("Connection: close") < head;
    if (measuring_) {
      ++statuses_[status];
      if (status == 201) latency_.record(now() - connection.due);
    }
    connection.in.clear();
    connection.busy = false;
    if (closing) return connect(connection);
    free_.push_back(&connection);
  }

  // User plus system time of a process in seconds, all its threads.
  static double cpu_of(int pid) {
    if (pid == 0) return 0;
    std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text((std::istreambuf_iterator<char>(in)), {});
    std::istringstream fields{text.substr(text.rfind(')') + 2)};
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  static double own_cpu() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  }

  void begin_measuring(Duration t) {
    measuring_ = true;
    began_ = t;
    server_cpu_ = cpu_of(options_.pid);
    own_cpu_ = own_cpu();
  }

  void finish_measuring(Duration t) {
    const double seconds = static_cast<double>((t - began_).count()) / 1e9;
    const double server = cpu_of(options_.pid) - server_cpu_, own = own_cpu() - own_cpu_;
    const auto ms = [](Duration d) { return static_cast<double>(d.count()) / 1e6; };
    const auto accepted = static_cast<double>(statuses_[201]);
    std::uint64_t answered = 0;
    std::string by_status;
    for (const auto& [status, count] : statuses_) {
      if (count == 0) continue;
      answered += count;
      by_status += (by_status.empty() ? "" : ",") +
                   ("\"" + std::to_string(status) + "\":" + std::to_string(count));
    }
    std::printf(
        "{\"seconds\":%.3f,\"connections\":%d,\"accepted\":%.0f,\"accepted_per_s\":%.0f,"
        "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,\"late_p99_ms\":%.3f,"
        "\"late_max_ms\":%.3f,\"cut\":%llu,\"server_cpu_us_per_answer\":%.3f,"
        "\"server_cpu_share\":%.3f,\"own_cpu_share\":%.3f,\"status\":{%s}}\n",
        seconds, options_.connections, accepted, accepted / seconds, ms(latency_.percentile(0.5)),
        ms(latency_.percentile(0.99)), ms(latency_.percentile(0.999)), ms(latency_.max()),
        ms(late_.percentile(0.99)), ms(late_.max()), static_cast<unsigned long long>(cut_),
        answered ? server * 1e6 / static_cast<double>(answered) : 0, server / seconds,
        own / seconds, by_status.c_str());
  }

  Options options_;
  Template diary_;
  Random random_;
  int poll_;
  std::vector<Connection> connections_;
  std::vector<Connection*> free_;
  std::deque<Duration> waiting_;
  std::vector<std::string> requests_;
  std::vector<std::size_t> id_at_;
  Duration next_due_{}, measure_from_{}, began_{};
  bool measuring_ = false;
  double server_cpu_ = 0, own_cpu_ = 0;
  LatencyHistogram latency_, late_;
  std::map<int, std::uint64_t> statuses_;
  std::uint64_t cut_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"Offers diaries to a Vesper intake on this machine and prints one JSON line"};
  app.add_option("--port", options.port, "intake port on 127.0.0.1")->required();
  app.add_option("--key", options.secret_file, "JWK set with one HS256 key")->required();
  app.add_option("--diary", options.diary_file, "a diary as JSON: its id and patient are replaced")
      ->required();
  app.add_option("--kid", options.kid);
  app.add_option("--issuer", options.issuer);
  app.add_option("--audience", options.audience);
  app.add_option("--trial", options.trial);
  app.add_option("--path", options.path);
  app.add_option("--connections", options.connections);
  app.add_option("--patients", options.patients);
  app.add_option("--seconds", options.seconds, "measured time");
  app.add_option("--warm-up", options.warm_up_seconds, "seconds before it");
  app.add_option("--rate", options.rate, "diaries a second, open loop; 0: closed loop");
  app.add_option("--pid", options.pid, "process whose CPU time is read");
  app.add_option("--seed", options.seed);
  CLI11_PARSE(app, argc, argv);
  Load load{options, load_template(options)};
  load.run();
} catch (const std::exception& fault) {
  std::fprintf(stderr, "vesper_load: %s\n", fault.what());
  return 2;
}
