#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vesper {

/// Writes indented JSON that people read too: generated references, limits in force.
///   Shape:  open('{') ... close('}'); key() before each value of an object.
class JsonText {
 public:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  JsonText& key(std::string_view name);
  JsonText& text(std::string_view value);
  JsonText& number(double value);
  JsonText& number(std::uint64_t value);
  JsonText& flag(bool value);
  JsonText& null();
  /// JSON as it is: one value.
  JsonText& raw(std::string_view json);
  JsonText& pair(std::string_view name, std::string_view value) { return key(name).text(value); }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void before_value();
  void new_line();

  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true, after_key_ = false;
};

}  // namespace vesper
