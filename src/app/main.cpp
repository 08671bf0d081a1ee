#include <iostream>

#include "app/command.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string_view> words{argv + 1, argv + argc};
  const auto status = vesper::run_command_line(words, std::cout, std::cerr);
  std::cout.flush();
  return static_cast<int>(status);
}
