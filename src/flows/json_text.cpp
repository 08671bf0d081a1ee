#include "flows/json_text.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace vesper {

void JsonText::new_line() {
  out_ += '\n';
  out_.append(2 * depth_, ' ');
}

void JsonText::before_value() {
  if (std::exchange(after_key_, false)) return;
  if (!std::exchange(first_, false)) out_ += ',';
  if (depth_ > 0) new_line();
}

JsonText& JsonText::open(char bracket) {
  before_value();
  out_ += bracket;
  ++depth_;
  first_ = true;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  --depth_;
  if (!first_) new_line();
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonText& JsonText::key(std::string_view name) {
  text(name);
  out_ += ": ";
  after_key_ = true;
  return *this;
}

JsonText& JsonText::text(std::string_view value) {
  before_value();
  out_ += '"';
  append_json_escaped(out_, value);
  out_ += '"';
  return *this;
}

JsonText& JsonText::number(double value) {
  return raw(fmt::format("{}", value));
}

JsonText& JsonText::number(std::uint64_t value) {
  return raw(fmt::format("{}", value));
}

JsonText& JsonText::flag(bool value) {
  return raw(value ? "true" : "false");
}

JsonText& JsonText::null() {
  return raw("null");
}

JsonText& JsonText::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

}  // namespace vesper
