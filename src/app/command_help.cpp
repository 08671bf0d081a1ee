#include <fmt/format.h>

#include <algorithm>

#include "app/command.hpp"

namespace vesper {
namespace {

constexpr std::size_t text_width = 78;

// `text` in lines of at most text_width, each after `indent` blanks; the first one begins at
// `column`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t column) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const bool line_break = end < text.size() && text[end] == '\n';
    if (column + end > text_width && column > indent) {
      while (out.ends_with(' ')) out.pop_back();
      out += '\n' + std::string(indent, ' ');
      column = indent;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line_break) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!text.empty()) {
      out += ' ';
      ++column;
    }
  }
  return out;
}

std::string usage_line(const Command& command) {
  std::string out = fmt::format("vesper {}", command.name);
  for (const CommandOption& option : command.options)
    if (option.required) out += fmt::format(" --{} {}", option.name, option.argument);
  if (std::ranges::any_of(command.options, [](const auto& o) { return !o.required; }))
    out += " [OPTION...]";
  for (const CommandArgument& argument : command.arguments)
    out += fmt::format(" {}{}{}", argument.optional ? "[" : "", argument.name,
                       argument.optional ? "]" : "");
  return out;
}

std::string range_text(const CommandOption& option) {
  if (option.kind == OptionKind::number)
    return fmt::format("{} to {}{}{}", option.least, option.most, option.unit.empty() ? "" : " ",
                       option.unit);
  if (option.kind == OptionKind::choice) {
    std::string out{option.choices};
    for (std::size_t at = 0; (at = out.find(' ', at)) != std::string::npos; at += 2)
      out.replace(at, 1, ", ");
    return "one of " + out;
  }
  return {};
}

std::string default_text(const CommandOption& option) {
  if (option.required) return "required";
  if (option.standard.empty()) return option.kind == OptionKind::flag ? "off" : "none";
  return fmt::format("{}{}{}", option.standard, option.unit.empty() ? "" : " ", option.unit);
}

std::string spelled(const CommandOption& option) {
  return option.argument.empty() ? fmt::format("--{}", option.name)
                                 : fmt::format("--{} {}", option.name, option.argument);
}

std::string row(std::string_view left, std::string_view right, std::size_t width) {
  std::string out = fmt::format("  {:<{}}  ", left, width);
  if (left.size() > width) out += '\n' + std::string(width + 4, ' ');
  return out + wrapped(right, width + 4, width + 4) + "\n";
}

std::string option_meaning(const CommandOption& option) {
  const std::string range = range_text(option);
  return fmt::format("{}{}{}. Default: {}.", option.meaning, range.empty() ? "" : "; ", range,
                     default_text(option));
}

}  // namespace

std::string first_screen() {
  std::string out =
      "vesper takes health diaries over HTTP, keeps them durably, and delivers them.\n\n"
      "Usage: vesper COMMAND [OPTION...] [ARGUMENT...]\n\n";
  std::size_t width = 0;
  for (const Command& command : commands())
    if (command.listed) width = std::max(width, command.name.size());
  for (const Command& command : commands())
    if (command.listed) out += row(command.name, command.summary, width);
  out +=
      "\n`vesper COMMAND --help` tells each option with its default and unit.\n"
      "Results go to stdout, everything else to stderr. Exit status: 0 done, 1 the\n"
      "answer is no, 2 usage or configuration, 3 the journal cannot be used.\n";
  return out;
}

std::string help_text(const Command& command) {
  std::string out =
      fmt::format("Usage: {}\n\n{}.\n", wrapped(usage_line(command), 7, 7), command.summary);
  if (!command.detail.empty()) out += "\n" + wrapped(command.detail, 0, 0) + "\n";
  if (!command.arguments.empty()) {
    out += "\nArguments:\n";
    for (const CommandArgument& argument : command.arguments)
      out += row(argument.name, fmt::format("{}.", argument.meaning), 24);
  }
  out += "\nOptions:\n";
  for (const CommandOption& option : command.options)
    out += row(spelled(option), option_meaning(option), 24);
  out += row("--help", "This text.", 24);
  return out;
}

std::string group_help(std::string_view group) {
  std::string out = fmt::format("Usage: vesper {} COMMAND [OPTION...]\n\nCommands:\n", group);
  for (const Command& command : commands())
    if (command.listed && command.name.starts_with(group) && command.name.size() > group.size() &&
        command.name[group.size()] == ' ')
      out += row(command.name, command.summary, 16);
  return out + fmt::format("\nSee `vesper {} COMMAND --help`.\n", group);
}

std::string reference_text(const Command& command) {
  std::string out = fmt::format("## `vesper {}`\n\n{}.\n\n```text\n{}\n```\n", command.name,
                                command.summary, usage_line(command));
  if (!command.detail.empty()) out += fmt::format("\n{}\n", command.detail);
  if (!command.arguments.empty()) {
    out += "\n| argument | meaning |\n|---|---|\n";
    for (const CommandArgument& argument : command.arguments)
      out += fmt::format("| `{}` | {}{} |\n", argument.name, argument.meaning,
                         argument.optional ? " (may be left out)" : "");
  }
  if (command.options.empty()) return out;
  out += "\n| option | default | range | meaning |\n|---|---|---|---|\n";
  for (const CommandOption& option : command.options)
    out += fmt::format("| `{}` | {} | {} | {} |\n", spelled(option), default_text(option),
                       range_text(option), option.meaning);
  return out;
}

}  // namespace vesper
