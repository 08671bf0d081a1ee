#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <expected>

#include "app/command.hpp"
#include "app/nearest.hpp"
#include "app/url.hpp"
#include "base/ensure.hpp"
#include "base/uuid.hpp"
#include "base/wall_time.hpp"

namespace vesper {
namespace {

using Words = std::span<const std::string_view>;
using Slip = std::string;

std::string_view group_of(std::string_view name) {
  return name.substr(0, name.find(' '));
}

// The command that the first one or two words name; `used` counts them.
const Command* find_command(Words words, std::size_t& used) {
  for (const Command& command : commands()) {
    const std::string_view group = group_of(command.name);
    if (words[0] != group) continue;
    used = group.size() == command.name.size() ? 1 : 2;
    if (used == 1) return &command;
    if (words.size() > 1 && words[1] == command.name.substr(group.size() + 1)) return &command;
  }
  return nullptr;
}

bool is_group(std::string_view word) {
  return std::ranges::any_of(commands(), [&](const Command& command) {
    return group_of(command.name) == word && command.name.size() > word.size();
  });
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known,
                         std::string_view lead) {
  const std::string_view meant = nearest(word, known);
  return meant.empty() ? "" : fmt::format("; did you mean `{}{}`?", lead, meant);
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool contains_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// What the value should have been; nothing when it is right.
std::optional<std::string> wrong_value(const CommandOption& option, std::string_view value) {
  switch (option.kind) {
    case OptionKind::flag:
      return std::nullopt;
    case OptionKind::text:
    case OptionKind::file:
      if (value.empty()) return "must not be empty";
      return std::nullopt;
    case OptionKind::url:
      if (!parse_setting_url(value))
        return "must be an http or https URL without query or fragment";
      return std::nullopt;
    case OptionKind::uuid:
      if (!parse_uuid(value)) return "must be a UUID";
      return std::nullopt;
    case OptionKind::time: {
      const auto time = parse_date_time(value);
      if (!time || time->precision < 19 || !time->offset_minutes)
        return "must be a time such as 2026-11-20T20:14:05.000Z";
      return std::nullopt;
    }
    case OptionKind::number: {
      const auto number = integer(value);
      if (!number || *number < option.least || *number > option.most)
        return fmt::format("must be {} to {}", option.least, option.most);
      return std::nullopt;
    }
    case OptionKind::choice:
      if (!contains_word(option.choices, value))
        return fmt::format("must be one of: {}", option.choices);
      return std::nullopt;
  }
  return std::nullopt;
}

class Reading {
 public:
  Reading(Invocation& into, Words words) : into_(into), words_(words) {}

  std::expected<void, Slip> read() {
    while (at_ < words_.size()) {
      const std::string_view word = words_[at_++];
      if (word == "--" && !only_arguments_) {
        only_arguments_ = true;
      } else if (word.starts_with("--") && !only_arguments_) {
        if (auto slip = option(word.substr(2)); !slip) return slip;
      } else if (word.starts_with('-') && word.size() > 1 && !only_arguments_) {
        return std::unexpected(fmt::format("{}: options begin with two dashes", word));
      } else {
        into_.arguments.emplace_back(word);
      }
    }
    return finish();
  }

 private:
  std::expected<void, Slip> option(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto options = into_.command.options;
    const auto it = std::ranges::find(options, name, &CommandOption::name);
    if (it == options.end()) {
      std::vector<std::string_view> known{"help"};
      for (const CommandOption& candidate : options) known.push_back(candidate.name);
      return std::unexpected(
          fmt::format("--{}: no such option{}", name, did_you_mean(name, known, "--")));
    }
    std::string_view value;
    if (it->kind == OptionKind::flag) {
      if (equals != std::string_view::npos)
        return std::unexpected(fmt::format("--{}: takes no value", name));
    } else if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (at_ < words_.size()) {
      value = words_[at_++];
    } else {
      return std::unexpected(fmt::format("--{}: {} is missing", name, it->argument));
    }
    if (auto wrong = wrong_value(*it, value))
      return std::unexpected(fmt::format("--{} = \"{}\": {}", name, value, *wrong));
    if (!into_.options.emplace(name, value).second)
      return std::unexpected(fmt::format("--{}: given twice", name));
    return {};
  }

  std::expected<void, Slip> finish() {
    for (const CommandOption& option : into_.command.options) {
      if (into_.options.contains(option.name)) continue;
      if (option.required)
        return std::unexpected(
            fmt::format("--{} {}: missing: {}", option.name, option.argument, option.meaning));
      if (!option.standard.empty()) into_.options.emplace(option.name, option.standard);
    }
    const auto expected = into_.command.arguments;
    if (into_.arguments.size() > expected.size())
      return std::unexpected(
          fmt::format("\"{}\": one argument too many", into_.arguments[expected.size()]));
    if (into_.arguments.size() < expected.size() && !expected[into_.arguments.size()].optional)
      return std::unexpected(fmt::format("{}: missing: {}", expected[into_.arguments.size()].name,
                                         expected[into_.arguments.size()].meaning));
    return {};
  }

  Invocation& into_;
  Words words_;
  std::size_t at_ = 0;
  bool only_arguments_ = false;
};

ExitStatus unknown_command(Words words, std::ostream& err) {
  std::vector<std::string_view> known;
  if (is_group(words[0])) {
    if (words.size() == 1) {
      err << "vesper " << words[0] << ": which of these?\n\n" << group_help(words[0]);
      return ExitStatus::usage;
    }
    for (const Command& command : commands())
      if (command.listed && group_of(command.name) == words[0])
        known.push_back(command.name.substr(words[0].size() + 1));
    err << fmt::format("vesper {} {}: no such command{}\n", words[0], words[1],
                       did_you_mean(words[1], known, fmt::format("vesper {} ", words[0])));
    return ExitStatus::usage;
  }
  for (const Command& command : commands())
    if (command.listed) known.push_back(group_of(command.name));
  err << fmt::format("vesper {}: no such command{}\nSee `vesper --help`.\n", words[0],
                     did_you_mean(words[0], known, "vesper "));
  return ExitStatus::usage;
}

bool asks_for_help(Words words) {
  for (std::string_view word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> Invocation::text(std::string_view name) const {
  const auto it = options.find(name);
  if (it == options.end()) return std::nullopt;
  return it->second;
}

std::int64_t Invocation::number(std::string_view name) const {
  const auto value = integer(text(name).value_or(""));
  ensure(value.has_value());
  return *value;
}

ExitStatus run_command_line(Words words, std::ostream& out, std::ostream& err) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    out << first_screen();
    return ExitStatus::done;
  }
  if (words[0] == "--version") {
    out << "vesper " << VESPER_VERSION << "\n";
    return ExitStatus::done;
  }
  std::size_t used = 0;
  const Command* command = find_command(words, used);
  if (command == nullptr) {
    if (!is_group(words[0]) || !asks_for_help(words)) return unknown_command(words, err);
    out << group_help(words[0]);
    return ExitStatus::done;
  }
  const Words rest = words.subspan(used);
  if (asks_for_help(rest)) {
    out << help_text(*command);
    return ExitStatus::done;
  }
  Invocation invocation{*command, {}, {}, out, err};
  if (const auto understood = Reading{invocation, rest}.read(); !understood) {
    err << fmt::format("vesper {}: {}\nSee `vesper {} --help`.\n", command->name,
                       understood.error(), command->name);
    return ExitStatus::usage;
  }
  return command->run(invocation);
}

}  // namespace vesper
