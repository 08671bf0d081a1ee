#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vesper {

/// What scripts may rely on.
enum class ExitStatus : int { done = 0, answer_is_no = 1, usage = 2, journal_unusable = 3 };

enum class OptionKind : std::uint8_t { flag, text, file, url, uuid, time, number, choice };

/// One option of a command, `--name ARGUMENT`.
struct CommandOption {
  std::string_view name;  ///< without the dashes
  OptionKind kind = OptionKind::flag;
  std::string_view argument = {};  ///< placeholder, "FILE"; empty for a flag
  std::string_view standard = {};  ///< default, empty: none
  std::string_view unit = {};
  std::int64_t least = 0, most = 0;  ///< of a number
  std::string_view choices = {};     ///< of a choice, separated by blanks
  bool required = false;
  std::string_view meaning;
};

struct CommandArgument {
  std::string_view name;  ///< "FILE"
  std::string_view meaning;
  bool optional = false;
};

struct Invocation;

/// One command; the parser, `--help` and the reference pages are all made from it.
struct Command {
  std::string_view name;     ///< "serve", "trial lint"
  std::string_view summary;  ///< one line, no full stop
  std::string_view detail;   ///< paragraphs for its own help; may be empty
  std::span<const CommandArgument> arguments;
  std::span<const CommandOption> options;
  bool listed = true;
  ExitStatus (*run)(Invocation& invocation) = nullptr;
};

/// A command line that was understood. Values are checked against their option's kind.
struct Invocation {
  const Command& command;
  std::map<std::string, std::string, std::less<>> options;  ///< given ones, and defaults
  std::vector<std::string> arguments;
  std::ostream& out;  ///< results
  std::ostream& err;  ///< everything else

  [[nodiscard]] bool flag(std::string_view name) const { return options.contains(name); }
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name) const;  ///< has a default or is given
};

/// Every command, in the order of the first screen.
[[nodiscard]] std::span<const Command> commands();

/// Understands a command line and runs its command.
///   Errors: usage, with one sentence on `err` that names the slip.
[[nodiscard]] ExitStatus run_command_line(std::span<const std::string_view> words,
                                          std::ostream& out, std::ostream& err);

/// The first screen; the help of one command, or of a group such as `trial`.
[[nodiscard]] std::string first_screen();
[[nodiscard]] std::string help_text(const Command& command);
[[nodiscard]] std::string group_help(std::string_view group);
/// A command's section of its reference page.
[[nodiscard]] std::string reference_text(const Command& command);

}  // namespace vesper
