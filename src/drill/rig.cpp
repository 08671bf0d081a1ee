#include "drill/rig.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "base/arena.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "stages/access/token_tool.hpp"
#include "stages/journal/delivery_id.hpp"

namespace vesper::drill {
namespace {

namespace fs = std::filesystem;

constexpr Duration start_longest = 30s, ask_longest = 5s, poll = 20ms;
constexpr std::string_view listen_any = "127.0.0.1:0";

bool write_file(const fs::path& file, std::string_view text) {
  std::ofstream out{file, std::ios::binary};
  out << text;
  out.flush();
  ::chmod(file.c_str(), 0600);
  return out.good();
}

std::string config_text(std::string_view platform_url) {
  return fmt::format(
      "[journal]\nurl = \"sqlite:data/drill.db\"\n"
      "[[access.issuer]]\nissuer = \"{}\"\naudience = \"vesper\"\njwks = \"keys.json\"\n"
      "scopes = [\"patient\", \"service\", \"trial-admin\", \"ops\"]\n"
      "[upstream.default]\nurl = \"{}\"\nsettle = \"receipt\"\n",
      drill_issuer, platform_url);
}

std::string member_of(std::string_view line, std::string_view name) {
  Arena arena;
  const auto read = parse_json(line, arena);
  const JsonValue* found = read ? (*read)->find(name) : nullptr;
  return found != nullptr && found->is(JsonKind::string) ? std::string{found->text} : "";
}

}  // namespace

Rig::Rig(RigPlan plan) : plan_(std::move(plan)) {}

Rig::~Rig() {
  child_.reset();
  platform_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::expected<void, std::string> Rig::furnish() {
  std::error_code failed;
  std::string name = (fs::temp_directory_path(failed) / "vesper-drill-XXXXXX").string();
  if (failed || ::mkdtemp(name.data()) == nullptr)
    return std::unexpected("no folder can be made in " + name);
  folder_ = name;
  std::string secret(32, '\0');
  entropy_.fill({reinterpret_cast<std::uint8_t*>(secret.data()), secret.size()});
  const std::string keys = fmt::format(
      R"({{"keys":[{{"kty":"oct","kid":"drill","alg":"HS256","use":"sig","k":"{}"}}]}})",
      encode_base64url(secret));
  auto key = access::SigningKey::from_jwk(keys);
  if (!key) return std::unexpected(std::string{access::text_of(key.error())});
  key_.emplace(*std::move(key));
  platform_ = std::make_unique<StandinThread>(plan_.seed);
  const auto platform_port = free_port(), intake_port = free_port();
  if (!platform_port) return std::unexpected(platform_port.error());
  if (!intake_port) return std::unexpected(intake_port.error());
  intake_port_ = *intake_port;
  const std::string listen = fmt::format("127.0.0.1:{}", *platform_port);
  const auto opened = platform_->ask(
      [&](standin::Platform&, standin::PlatformServer& server) { return server.open(listen); });
  if (!opened) return std::unexpected(opened.error());
  platform_url_ = "http://" + listen;
  const bool written = write_file(folder_ / "keys.json", keys) &&
                       write_file(folder_ / "trial.json", drill_trial_document()) &&
                       write_file(folder_ / "vesper.toml", config_text(platform_url_));
  if (!written) return std::unexpected("cannot write to " + folder_.string());
  return {};
}

// Below the ports that the kernel gives to those who connect: who asks again and again for a port
// where nobody listens would otherwise be given that port as his own, and talk to himself.
std::expected<std::uint16_t, std::string> Rig::free_port() {
  constexpr std::uint16_t first = 20'000, last = 32'000;
  for (int tries = 0; tries < 100; ++tries) {
    const auto port = static_cast<std::uint16_t>(first + entropy_.next() % (last - first));
    asio::ip::tcp::acceptor acceptor{context_};
    boost::system::error_code failed;
    acceptor.open(asio::ip::tcp::v4(), failed);
    acceptor.bind({asio::ip::address_v4::loopback(), port}, failed);
    if (!failed) return port;
  }
  return std::unexpected("no free port from 20000 to 32000");
}

Child::Plan Rig::child_plan() const {
  Child::Plan plan;
  plan.output = folder_ / "output.log";
  plan.limits = plan_.limits;
  plan.environment = plan_.environment;
  for (std::string& entry : plan.environment)
    if (const auto at = entry.find(folder_placeholder); at != entry.npos)
      entry.replace(at, folder_placeholder.size(), folder_.string());
  const std::string program = plan_.program.string();
  const std::string listen = fmt::format("127.0.0.1:{}", intake_port_);
  if (plan_.service == Service::naive) {
    plan.command = {program,
                    "--listen",
                    listen,
                    "--keys",
                    (folder_ / "keys.json").string(),
                    "--trial",
                    (folder_ / "trial.json").string(),
                    "--journal",
                    (folder_ / "naive.db").string(),
                    "--platform",
                    platform_url_};
    return plan;
  }
  plan.command = {program, "serve", "--config", (folder_ / "vesper.toml").string()};
  plan.environment.push_back("VESPER__INTAKE__LISTEN=" + listen);
  plan.environment.push_back(fmt::format("VESPER__ADMIN__LISTEN={}", listen_any));
  for (const auto& [name, value] : plan_.settings) plan.environment.push_back(name + "=" + value);
  return plan;
}

asio::awaitable<std::expected<void, std::string>> Rig::start() {
  if (auto furnished = furnish(); !furnished) co_return furnished;
  child_ = std::make_unique<Child>(child_plan());
  if (auto started = co_await restart(); !started) co_return started;
  if (plan_.service == Service::vesper) co_return co_await publish();
  co_return std::expected<void, std::string>{};
}

asio::awaitable<std::expected<void, std::string>> Rig::restart() {
  child_->plan() = child_plan();
  if (auto spawned = child_->spawn(); !spawned) co_return spawned;
  co_return co_await await_listening();
}

asio::awaitable<std::expected<void, std::string>> Rig::await_listening() {
  const Deadline deadline{clock_.now() + start_longest};
  while (!deadline.passed(clock_.now())) {
    if (const auto line = child_->listening()) {
      intake_ = member_of(*line, "intake");
      admin_ = member_of(*line, "admin");
      co_return std::expected<void, std::string>{};
    }
    if (child_->ended()) break;
    co_await sleep(poll);
  }
  co_return std::unexpected("the server did not start: " + child_->last_words());
}

asio::awaitable<std::expected<void, std::string>> Rig::publish() {
  const auto reply = co_await ask(
      "PUT", fmt::format("{}/trials/{}", intake_, drill_trial), std::string{drill_trial_document()},
      token(std::string{drill_trial}, "drill", "trial-admin"), "If-None-Match: *\r\n");
  if (reply && reply->status == 201) co_return std::expected<void, std::string>{};
  co_return std::unexpected("the trial was not published: " + (reply ? reply->body : "no answer"));
}

asio::awaitable<std::optional<ProcessEnd>> Rig::stop(Duration longest) {
  child_->signal(SIGTERM);
  const Deadline deadline{clock_.now() + longest};
  while (!child_->ended() && !deadline.passed(clock_.now())) co_await sleep(poll);
  co_return child_->ended();
}

asio::awaitable<std::optional<FetchReply>> Rig::intake(std::string path, std::string bearer) {
  return ask("GET", intake_ + path, {}, std::move(bearer), {});
}

asio::awaitable<std::optional<FetchReply>> Rig::admin(std::string path, std::string_view method) {
  return ask(std::string{method}, admin_ + path, {}, {}, {});
}

asio::awaitable<std::optional<FetchReply>> Rig::ask(std::string method, std::string url,
                                                    std::string body, std::string bearer,
                                                    std::string headers) {
  const std::string authorization = bearer.empty() ? "" : "Bearer " + bearer;
  const HttpFetch::Request request{
      .method = method,
      .url = url,
      .content_type = body.empty() ? std::string_view{} : "application/json",
      .body = body,
      .authorization = authorization,
      .headers = headers};
  auto reply = co_await fetch_.fetch(request, {clock_.now() + ask_longest});
  if (!reply) co_return std::nullopt;
  co_return *std::move(reply);
}

asio::awaitable<void> Rig::sleep(Duration length) {
  co_await clock_.sleep_until(clock_.now() + length);
}

std::string Rig::token(const std::string& trial, const std::string& subject,
                       std::string_view scope) const {
  access::MintRequest request;
  request.issuer = drill_issuer;
  request.audience = "vesper";
  request.subject = subject;
  request.trials = {trial};
  request.scope = scope;
  request.issued_at = clock_.wall() - std::chrono::hours{48};  // good whatever the clock does
  request.lifetime = std::chrono::hours{96};
  const auto minted = access::mint(request, *key_);
  return minted ? *minted : std::string{};
}

Uuid Rig::delivery_of(std::uint32_t patient, const Uuid& submission) {
  char subject[surge::subject_chars];
  surge::format_subject(patient, subject);
  return delivery_id(drill_trial, PatientText{{subject, sizeof subject}}, submission);
}

}  // namespace vesper::drill
