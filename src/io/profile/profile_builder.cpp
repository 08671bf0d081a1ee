#include "io/profile/profile_builder.hpp"

#include <zlib.h>

namespace vesper {
namespace {

// Fields of profile.proto, by message.
enum ProfileField : std::uint32_t {
  sample_type = 1,
  sample = 2,
  mapping = 3,
  location_field = 4,
  function_field = 5,
  string_table = 6,
  time_nanos = 9,
  duration_nanos = 10,
  period_type = 11,
  period_field = 12,
  default_sample_type = 14
};
constexpr std::uint64_t the_mapping = 1;

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_number(std::string& out, std::uint32_t field, std::uint64_t value) {
  if (value == 0) return;
  put_varint(out, std::uint64_t{field} << 3);
  put_varint(out, value);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_varint(out, std::uint64_t{field} << 3 | 2);
  put_varint(out, bytes.size());
  out += bytes;
}

template <class Numbers>
void put_packed(std::string& out, std::uint32_t field, const Numbers& numbers) {
  std::string packed;
  for (const auto number : numbers) put_varint(packed, static_cast<std::uint64_t>(number));
  put_bytes(out, field, packed);
}

std::string gzip(std::string_view plain) {
  constexpr int gzip_window = 15 + 16, memory_level = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

}  // namespace

ProfileBuilder::ProfileBuilder(std::span<const ValueType> types) {
  (void)text("");
  for (const auto& type : types) put_bytes(head_, sample_type, value_type(type));
  if (!types.empty()) put_number(rest_, default_sample_type, text(types.back().type));
}

std::uint64_t ProfileBuilder::text(std::string_view wanted) {
  const auto [at, added] = text_ids_.try_emplace(std::string{wanted}, texts_.size());
  if (added) texts_.emplace_back(wanted);
  return at->second;
}

std::string ProfileBuilder::value_type(ValueType type) {
  std::string out;
  put_number(out, 1, text(type.type));
  put_number(out, 2, text(type.unit));
  return out;
}

std::uint64_t ProfileBuilder::function(const Frame& frame) {
  const std::uint64_t name = text(frame.function), file = text(frame.file);
  const auto [at, added] = function_ids_.try_emplace({name, file}, function_ids_.size() + 1);
  if (added) {
    std::string out;
    put_number(out, 1, at->second);
    put_number(out, 2, name);
    put_number(out, 3, name);
    put_number(out, 4, file);
    put_bytes(functions_, function_field, out);
  }
  return at->second;
}

std::uint64_t ProfileBuilder::location(const Frame& frame) {
  const std::uint64_t of = function(frame);
  const auto [at, added] =
      location_ids_.try_emplace({of, frame.line, frame.address}, location_ids_.size() + 1);
  if (added) {
    std::string line, out;
    put_number(line, 1, of);
    put_number(line, 2, static_cast<std::uint64_t>(frame.line));
    put_number(out, 1, at->second);
    put_number(out, 2, the_mapping);
    put_number(out, 3, frame.address != 0 ? frame.address : at->second << 4);
    put_bytes(out, 4, line);
    put_bytes(locations_, location_field, out);
  }
  return at->second;
}

void ProfileBuilder::add(std::span<const Frame> stack, std::span<const std::int64_t> values,
                         std::span<const Label> labels) {
  std::vector<std::uint64_t> places;
  places.reserve(stack.size());
  for (const auto& frame : stack) places.push_back(location(frame));
  std::string out;
  put_packed(out, 1, places);
  put_packed(out, 2, values);
  for (const auto& [key, value] : labels) {
    std::string label;
    put_number(label, 1, text(key));
    put_number(label, 2, text(value));
    put_bytes(out, 3, label);
  }
  put_bytes(samples_, sample, out);
}

void ProfileBuilder::set_time(WallTime begin, Duration length) {
  const Duration since_epoch = begin.time_since_epoch();
  put_number(rest_, time_nanos, static_cast<std::uint64_t>(since_epoch.count()));
  put_number(rest_, duration_nanos, static_cast<std::uint64_t>(length.count()));
}

void ProfileBuilder::set_period(ValueType type, std::int64_t period) {
  put_bytes(rest_, period_type, value_type(type));
  put_number(rest_, period_field, static_cast<std::uint64_t>(period));
}

// The mapping says that functions, files and lines are known, so that nobody looks for a binary.
std::string ProfileBuilder::finish() {
  std::string place;
  put_number(place, 1, the_mapping);
  put_number(place, 3, ~std::uint64_t{0});
  put_number(place, 5, text("vesper"));
  for (const std::uint32_t has : {7u, 8u, 9u, 10u}) put_number(place, has, 1);
  std::string out = head_ + samples_;
  put_bytes(out, mapping, place);
  out += locations_ + functions_;
  for (const auto& entry : texts_) put_bytes(out, string_table, entry);
  out += rest_;
  return gzip(out);
}

}  // namespace vesper
