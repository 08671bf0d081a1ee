#include "io/profile/profile_builder.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cstdint>

namespace vesper {
namespace {

std::string unzipped(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

/// Fields of one message: number, and its bytes or its value.
struct Field {
  std::uint64_t number = 0, value = 0;
  std::string_view bytes;
};
std::vector<Field> fields_of(std::string_view message) {
  std::vector<Field> fields;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(message.front());
      message.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
  };
  while (!message.empty()) {
    const std::uint64_t key = varint();
    Field field{key >> 3, varint(), {}};
    if ((key & 7) == 2) {
      field.bytes = message.substr(0, field.value);
      message.remove_prefix(field.value);
    }
    fields.push_back(field);
  }
  return fields;
}
std::vector<Field> only(const std::vector<Field>& fields, std::uint64_t number) {
  std::vector<Field> found;
  for (const auto& field : fields)
    if (field.number == number) found.push_back(field);
  return found;
}

TEST(ProfileBuilder, SamplesShareLocationsFunctionsAndTexts) {
  const ProfileBuilder::ValueType type{"goroutine", "count"};
  ProfileBuilder builder{{&type, 1}};
  const std::array frames{ProfileBuilder::Frame{"socket.read", "", 0},
                          ProfileBuilder::Frame{"connection", "src/a.cpp", 12}};
  const std::array other{ProfileBuilder::Frame{"journal.commit", "", 0}, frames[1]};
  const std::array<std::int64_t, 1> three{3}, four{4};
  const std::array labels{ProfileBuilder::Label{"thread", "shard0"}};
  builder.add(frames, three, labels);
  builder.add(other, four);
  const std::string plain = unzipped(builder.finish());
  const auto profile = fields_of(plain);
  const auto samples = only(profile, 2), locations = only(profile, 4), functions = only(profile, 5),
             texts = only(profile, 6), types = only(profile, 1);
  ASSERT_EQ(samples.size(), 2u);
  ASSERT_EQ(locations.size(), 3u);
  ASSERT_EQ(functions.size(), 3u);
  ASSERT_EQ(types.size(), 1u);
  EXPECT_EQ(texts[0].bytes, "");
  const auto text = [&](std::uint64_t id) { return std::string{texts.at(id).bytes}; };
  EXPECT_EQ(text(only(fields_of(types[0].bytes), 1)[0].value), "goroutine");
  EXPECT_EQ(text(only(fields_of(types[0].bytes), 2)[0].value), "count");
  const auto first = fields_of(samples[0].bytes);
  EXPECT_EQ(only(first, 1)[0].bytes, std::string_view("\1\2"));
  EXPECT_EQ(only(first, 2)[0].bytes, std::string_view("\3"));
  EXPECT_EQ(text(only(fields_of(only(first, 3)[0].bytes), 2)[0].value), "shard0");
  EXPECT_EQ(only(fields_of(samples[1].bytes), 1)[0].bytes, std::string_view("\3\2"));
  const auto mapping = fields_of(only(profile, 3).at(0).bytes);
  for (const std::uint64_t has : {7u, 8u, 9u}) EXPECT_EQ(only(mapping, has).at(0).value, 1u);
}

TEST(ProfileBuilder, AnEmptyProfileIsStillOne) {
  const ProfileBuilder::ValueType type{"goroutine", "count"};
  ProfileBuilder builder{{&type, 1}};
  EXPECT_FALSE(unzipped(builder.finish()).empty());
}

}  // namespace
}  // namespace vesper
