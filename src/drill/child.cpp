#include "drill/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace vesper::drill {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// The limits are set by a shell, which then becomes the program: no fork of a process with threads.
std::vector<std::string> limited(const std::vector<std::string>& command,
                                 const ProcessLimits& limits) {
  if (limits.descriptors_max == 0 && limits.memory_max_mib == 0) return command;
  std::string script;
  if (limits.descriptors_max > 0) script += fmt::format("ulimit -n {} && ", limits.descriptors_max);
  if (limits.memory_max_mib > 0)
    script += fmt::format("ulimit -d {} && ", std::uint64_t{limits.memory_max_mib} * 1024);
  std::vector<std::string> out{"/bin/sh", "-c", script + R"(exec "$0" "$@")"};
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

std::string text_of(const fs::path& file, std::uintmax_t from) {
  std::ifstream in{file, std::ios::binary};
  in.seekg(static_cast<std::streamoff>(from));
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

fs::path own_program() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed);
}

void raise_own_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::expected<void, std::string> Child::spawn() {
  kill();
  std::error_code ignored;
  output_began_ = fs::exists(plan_.output, ignored) ? fs::file_size(plan_.output, ignored) : 0;
  auto words = limited(plan_.command, plan_.limits);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, plan_.output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  // Asio's sockets are inherited otherwise, and the platform's port with them.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int failed =
      ::posix_spawn(&pid_, words[0].c_str(), &actions, &attributes, pointers_to(words).data(),
                    pointers_to(plan_.environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  end_.reset();
  if (failed == 0) return {};
  pid_ = -1;
  return std::unexpected(fmt::format("{} cannot be started: error {}", words[0], failed));
}

std::optional<std::string> Child::listening() const {
  std::istringstream lines{text_of(plan_.output, output_began_)};
  for (std::string line; std::getline(lines, line);)
    if (!lines.eof() && line.find(R"("event.action":"listening")") != line.npos) return line;
  return {};
}

void Child::kill() {
  if (pid_ <= 0 || ended()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) end_ = ProcessEnd{true, SIGKILL};
}

void Child::signal(int number) const {
  if (pid_ > 0 && !end_) ::kill(pid_, number);
}

std::optional<ProcessEnd> Child::ended() {
  if (end_ || pid_ <= 0) return end_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return {};
  end_ = WIFSIGNALED(status) ? ProcessEnd{true, WTERMSIG(status)}
                             : ProcessEnd{false, WEXITSTATUS(status)};
  return end_;
}

std::optional<ProcessState> Child::state() const {
  if (pid_ <= 0 || end_) return {};
  const std::string folder = fmt::format("/proc/{}/", pid_);
  ProcessState state;
  const std::string stat = text_of(folder + "stat", 0);
  const std::size_t after = stat.rfind(')');
  if (after == stat.npos) return {};
  std::istringstream fields{stat.substr(after + 2)};
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0, priority = 0;
  fields >> user >> system >> priority >> priority >> priority >> priority >> state.threads;
  state.cpu_s = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  double pages = 0;
  std::istringstream{text_of(folder + "statm", 0)} >> skipped >> pages;
  state.memory_mib = pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  std::error_code failed;
  for (fs::directory_iterator at{folder + "fd", failed}, end; !failed && at != end;
       at.increment(failed))
    ++state.descriptors;
  return state;
}

std::string Child::last_words() const {
  const std::string text = text_of(plan_.output, output_began_);
  return text.size() <= 2000 ? text : text.substr(text.size() - 2000);
}

}  // namespace vesper::drill
