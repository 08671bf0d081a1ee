#include "app/command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace vesper {
namespace {

struct Ran {
  ExitStatus status;
  std::string out, err;
};

Ran run(std::initializer_list<std::string_view> words) {
  std::ostringstream out, err;
  const std::vector<std::string_view> all{words};
  const ExitStatus status = run_command_line(all, out, err);
  return {status, out.str(), err.str()};
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(CommandLine, AloneAndHelpPrintOneScreen) {
  const Ran alone = run({});
  EXPECT_EQ(alone.status, ExitStatus::done);
  EXPECT_EQ(alone.out, run({"--help"}).out);
  EXPECT_LE(lines_of(alone.out), 24u + 6u);
  EXPECT_TRUE(alone.err.empty());
  for (const Command& command : commands())
    EXPECT_EQ(alone.out.find("  " + std::string(command.name) + " ") != std::string::npos,
              command.listed)
        << command.name;
}

TEST(CommandLine, EveryCommandTellsItsOptionsWithDefaultAndUnit) {
  for (const Command& command : commands()) {
    std::vector<std::string_view> words;
    const std::string name{command.name};
    const std::size_t blank = name.find(' ');
    words.push_back(std::string_view(name).substr(0, blank));
    if (blank != std::string::npos) words.push_back(std::string_view(name).substr(blank + 1));
    words.push_back("--help");
    std::ostringstream out, err;
    EXPECT_EQ(run_command_line(words, out, err), ExitStatus::done);
    for (const CommandOption& option : command.options) {
      const std::size_t at = out.str().find("--" + std::string(option.name));
      ASSERT_NE(at, std::string::npos) << option.name;
      EXPECT_NE(out.str().find("Default:", at), std::string::npos) << option.name;
    }
    std::istringstream lines{out.str()};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(CommandLine, UnknownCommandIsUsageAndNamesTheNearest) {
  const Ran ran = run({"serv"});
  EXPECT_EQ(ran.status, ExitStatus::usage);
  EXPECT_NE(ran.err.find("did you mean `vesper serve`?"), std::string::npos) << ran.err;
  EXPECT_TRUE(ran.out.empty());
}

TEST(CommandLine, SlipsAreUsage) {
  struct Case {
    std::vector<std::string_view> words;
    const char* says;
  };
  for (const Case& c :
       {Case{{"serve", "--confg", "x"}, "did you mean `--config`?"},
        Case{{"serve", "--config"}, "FILE is missing"},
        Case{{"serve", "--config", ""}, "must not be empty"},
        Case{{"serve", "--demo=yes"}, "takes no value"},
        Case{{"serve", "--demo", "--demo"}, "given twice"}, Case{{"serve", "-d"}, "two dashes"},
        Case{{"serve", "extra"}, "one argument too many"},
        Case{{"reference"}, "FOLDER: missing"}}) {
    std::ostringstream out, err;
    EXPECT_EQ(run_command_line(c.words, out, err), ExitStatus::usage);
    EXPECT_NE(err.str().find(c.says), std::string::npos) << err.str();
    EXPECT_TRUE(out.str().empty());
  }
}

TEST(CommandLine, ConfigurationFaultsAreUsage) {
  const Ran ran = run({"serve", "--config", "/nonexistent/vesper.toml"});
  EXPECT_EQ(ran.status, ExitStatus::usage);
  EXPECT_NE(ran.err.find("/nonexistent/vesper.toml: cannot be read"), std::string::npos);
}

TEST(CommandTable, IsOrderly) {
  for (const Command& command : commands()) {
    EXPECT_NE(command.run, nullptr) << command.name;
    EXPECT_FALSE(command.summary.ends_with('.')) << command.name;
    for (const CommandOption& option : command.options) {
      EXPECT_EQ(option.argument.empty(), option.kind == OptionKind::flag) << option.name;
      EXPECT_FALSE(option.meaning.ends_with('.')) << option.name;
      if (option.kind == OptionKind::number) EXPECT_FALSE(option.standard.empty()) << option.name;
    }
  }
}

}  // namespace
}  // namespace vesper
