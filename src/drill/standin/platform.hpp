#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/uuid.hpp"

namespace vesper::standin {

/// One request as read from the wire.
struct Request {
  std::string_view method, target, body;
  std::vector<std::pair<std::string, std::string_view>> headers;  ///< names in lower case
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

/// How the stand-in behaves towards a share of the deliveries.
struct Behaviour {
  enum class Mode : std::uint8_t {
    ok,
    status,      ///< answers `status`, applies nothing
    hang,        ///< never answers, applies nothing
    hang_after,  ///< applies, then never answers
    cut_before,  ///< closes without an answer, applies nothing
    cut_after,   ///< applies, then closes without an answer
    cut_middle,  ///< applies, then closes in the middle of its answer
    html,        ///< 200 with a proxy's page, applies nothing
    redirect,    ///< 307 to `location`, applies nothing
    garbage,     ///< answers what is not HTTP, applies nothing
    huge,        ///< applies, answers with `huge_bytes` of body
    lie,         ///< answers as if it had applied, applies nothing: a drill must notice
    twice        ///< applies two times: a drill must notice
  };
  Mode mode = Mode::ok;
  int status = 503;
  double probability = 1;      ///< of `mode`; the others are served well
  std::int64_t next = -1;      ///< `mode` for this many deliveries, then well; -1: always
  std::uint32_t delay_ms = 0;  ///< before every answer
  std::string retry_after;     ///< header on answers of mode `status`
  std::string location = "http://127.0.0.1:1/";
  std::size_t huge_bytes = 1'000'000;
  bool receipt = true;  ///< answers echo key and hash
};

/// What to do with the connection after a request.
struct Reaction {
  enum class Then : std::uint8_t { answer, close, hang, answer_and_close } then = Then::answer;
  std::uint32_t delay_ms = 0;
  std::string text;  ///< the whole answer, head and body
};

/// A fake data platform: takes deliveries, applies each key once, keeps a ledger.
///   Shape: the ledger is JSON lines, appended and flushed before the answer is sent: `outcome` is
///   applied, duplicate, refused or disturbed; `n` counts the patient's applied diaries.
///   Thread: one.
class Platform {
 public:
  struct Options {
    std::string ledger_file;   ///< empty: in memory only
    bool quiet_count = false;  ///< benchmarks: count and deduplicate, look at nothing else
    std::uint64_t seed = 1;
  };
  Platform(Options options, Behaviour behaviour);

  [[nodiscard]] Reaction serve(const Request& request);

  void behave(const Behaviour& behaviour) { behaviour_ = behaviour; }
  [[nodiscard]] const Behaviour& behaviour() const { return behaviour_; }
  /// Keys in the order in which they took effect; one that took effect twice stands there twice.
  [[nodiscard]] const std::vector<Uuid>& effects() const { return effects_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  struct Delivery {
    std::string key, hash, subject;
  };
  Reaction deliver(const Request& request);
  Reaction disturbed(const Request& request, const std::string& key, const std::string& hash);
  std::string apply(const Request& request, const std::string& key, const std::string& hash);
  std::string quiet(const Request& request, std::string_view key);
  void take_effect(const std::string& key);
  std::string control(std::string_view body);
  [[nodiscard]] std::string counts() const;
  void record(const std::string& outcome, const std::string& key, const std::string& hash,
              const std::string& subject, std::uint64_t n, const std::string& why);
  [[nodiscard]] std::string receipt(const std::string& key, const std::string& hash,
                                    bool duplicate) const;

  Options options_;
  Behaviour behaviour_;
  Random random_;
  std::ofstream ledger_;
  std::string ledger_text_;  // bounded
  std::unordered_map<std::string, Delivery> applied_;
  std::unordered_map<std::string, std::uint64_t> of_subject_;
  std::vector<Uuid> effects_;
  std::uint64_t requests_ = 0, duplicates_ = 0, refused_ = 0, disturbed_ = 0, quiet_applied_ = 0;
};

/// What is wrong with a delivery's headers and Bundle; empty when nothing is. `subject` receives
/// the patient's identifier.
[[nodiscard]] std::string fault_of_headers(const Request& request);
[[nodiscard]] std::string fault_of_bundle(std::string_view body, std::string& subject);

/// What a control document makes of `before`; the fault in words otherwise. `reseed` receives a new
/// seed when one was named.
[[nodiscard]] std::expected<Behaviour, std::string> read_control(
    std::string_view body, const Behaviour& before, std::optional<std::uint64_t>& reseed);
[[nodiscard]] std::string_view name_of(Behaviour::Mode mode);

/// A whole answer.
[[nodiscard]] std::string answer(int status, std::string_view headers, std::string_view body,
                                 std::string_view type = "application/json");

}  // namespace vesper::standin
