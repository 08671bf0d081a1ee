#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace vesper {

/// Makes a profile as `go tool pprof` reads it: samples of stacks, with functions embedded, so that
/// no binary is needed.
///   Shape:  add samples, then finish() once.
///   Units:  as the value types say; addresses are made up unless a frame has one.
///   Source: github.com/google/pprof proto/profile.proto, gzip (RFC 1952).
class ProfileBuilder {
 public:
  struct ValueType {
    std::string_view type, unit;  ///< `goroutine`, `count`
  };
  struct Frame {
    std::string_view function, file;
    std::int64_t line = 0;
    std::uint64_t address = 0;
  };
  using Label = std::pair<std::string_view, std::string_view>;

  /// The last type is the one that is shown first.
  explicit ProfileBuilder(std::span<const ValueType> types);

  /// `stack` is leaf first; `values` has one for each type.
  void add(std::span<const Frame> stack, std::span<const std::int64_t> values,
           std::span<const Label> labels = {});
  void set_time(WallTime begin, Duration length);
  void set_period(ValueType type, std::int64_t period);

  /// The gzip bytes; empty when there is no memory for them.
  [[nodiscard]] std::string finish();

 private:
  [[nodiscard]] std::uint64_t text(std::string_view text);
  [[nodiscard]] std::uint64_t function(const Frame& frame);
  [[nodiscard]] std::uint64_t location(const Frame& frame);
  [[nodiscard]] std::string value_type(ValueType type);

  std::string samples_, locations_, functions_, head_, rest_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint64_t> text_ids_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> function_ids_;
  std::map<std::tuple<std::uint64_t, std::int64_t, std::uint64_t>, std::uint64_t> location_ids_;
};

}  // namespace vesper
