#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drill/child.hpp"
#include "drill/standin_thread.hpp"
#include "io/clock/system_clock.hpp"
#include "io/entropy/system_entropy.hpp"
#include "io/https_client/fetch_client.hpp"
#include "stages/access/signing_key.hpp"
#include "surge/diary_template.hpp"
#include "tasks/task_scope.hpp"

namespace vesper::drill {

/// Which service the evening is played to.
enum class Service : std::uint8_t { vesper, naive };

/// What the server under test is given.
struct RigPlan {
  Service service = Service::vesper;
  std::filesystem::path program;                ///< of the service
  std::vector<std::string> environment;         ///< NAME=VALUE, without VESPER__; see below
  std::map<std::string, std::string> settings;  ///< VESPER__ names of the child, beside the usual
  ProcessLimits limits;
  std::uint64_t seed = 1;
};

/// Stands for the rig's folder in an environment entry.
inline constexpr std::string_view folder_placeholder = "{folder}";

/// One evening's scenery: a folder of its own, keys, a fake data platform, a server as a child.
///   Shape:  start -> fault and load -> stop; all of it goes with the object.
///   Thread: one; coroutines run on context().
class Rig {
 public:
  explicit Rig(RigPlan plan);
  ~Rig();
  Rig(const Rig&) = delete;

  /// Platform, child and trial. Errors: a sentence.
  [[nodiscard]] asio::awaitable<std::expected<void, std::string>> start();
  /// Starts the child again on the same folder and port.
  [[nodiscard]] asio::awaitable<std::expected<void, std::string>> restart();
  /// SIGTERM, and how it ended within `longest`; nothing: it did not.
  [[nodiscard]] asio::awaitable<std::optional<ProcessEnd>> stop(Duration longest);

  /// One request to the child's intake or admin port.
  [[nodiscard]] asio::awaitable<std::optional<FetchReply>> intake(std::string path,
                                                                  std::string bearer = {});
  [[nodiscard]] asio::awaitable<std::optional<FetchReply>> admin(std::string path,
                                                                 std::string_view method = "GET");

  asio::awaitable<void> sleep(Duration length);
  [[nodiscard]] std::string token(const std::string& trial, const std::string& subject,
                                  std::string_view scope = "patient") const;
  /// The delivery id of a patient's diary of the drill's trial.
  [[nodiscard]] static Uuid delivery_of(std::uint32_t patient, const Uuid& submission);

  [[nodiscard]] const TaskScope& scope() const { return scope_; }
  [[nodiscard]] asio::io_context& context() { return context_; }
  [[nodiscard]] SystemClock& clock() { return clock_; }
  [[nodiscard]] StandinThread& platform() { return *platform_; }
  [[nodiscard]] Child& child() { return *child_; }
  [[nodiscard]] pid_t child_pid() const { return child_->pid(); }
  [[nodiscard]] std::uint16_t intake_port() const { return intake_port_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] RigPlan& plan() { return plan_; }

 private:
  [[nodiscard]] std::expected<void, std::string> furnish();
  [[nodiscard]] std::expected<std::uint16_t, std::string> free_port();
  [[nodiscard]] Child::Plan child_plan() const;
  [[nodiscard]] asio::awaitable<std::expected<void, std::string>> await_listening();
  [[nodiscard]] asio::awaitable<std::expected<void, std::string>> publish();
  [[nodiscard]] asio::awaitable<std::optional<FetchReply>> ask(std::string method, std::string url,
                                                               std::string body, std::string bearer,
                                                               std::string headers);

  RigPlan plan_;
  TaskScope scope_{"drill"};
  SystemClock clock_;
  SystemEntropy entropy_;
  FetchClient fetch_{clock_, {}};
  std::filesystem::path folder_;
  std::optional<access::SigningKey> key_;
  std::unique_ptr<StandinThread> platform_;
  std::string platform_url_, intake_, admin_;
  std::uint16_t intake_port_ = 0;
  std::unique_ptr<Child> child_;
  asio::io_context context_{1};  // last: what still waits in it uses the others
};

inline constexpr std::string_view drill_trial = "BENCH-01", drill_issuer = "https://drill.invalid";

/// The trial of the benchmarks, and its diary.
[[nodiscard]] std::string_view drill_trial_document();
[[nodiscard]] std::string_view drill_diary();

}  // namespace vesper::drill
