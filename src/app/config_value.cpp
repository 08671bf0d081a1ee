#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

#include "app/config_key.hpp"
#include "app/url.hpp"
#include "base/encoding.hpp"

namespace vesper {
namespace {

namespace asio = boost::asio;
using Checked = std::expected<ConfigValue, std::string>;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) out.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<std::size_t> choice_index(const ConfigKey& key, std::string_view text) {
  const auto all = split(key.choices, ' ');
  const auto it = std::ranges::find(all, text);
  if (it == all.end()) return std::nullopt;
  return static_cast<std::size_t>(it - all.begin());
}

std::string absolute(const std::filesystem::path& base, std::string_view path) {
  return (base / std::filesystem::path(path)).lexically_normal().string();
}

// Text with control characters has no place in a host name, a path or a header.
bool printable(std::string_view text) {
  return !text.empty() && valid_utf8(text) && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

std::optional<ListenAddress> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  ListenAddress out;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  out.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  boost::system::error_code bad;
  asio::ip::make_address(out.host, bad);
  if (bad) return std::nullopt;
  return out;
}

std::optional<ConfigValue> check_text(const ConfigKey& key, std::string_view text,
                                      const std::filesystem::path& base) {
  if (!printable(text)) return std::nullopt;
  switch (key.kind) {
    case ConfigKind::text:
      return std::string(text);
    case ConfigKind::choice: {
      const auto index = choice_index(key, text);
      if (!index) return std::nullopt;
      return static_cast<std::int64_t>(*index);
    }
    case ConfigKind::address: {
      auto address = parse_address(text);
      if (!address) return std::nullopt;
      return *address;
    }
    case ConfigKind::path:
      return absolute(base, text);
    case ConfigKind::path_or_url: {
      if (text.find("://") == std::string_view::npos) return absolute(base, text);
      const auto url = parse_setting_url(text);
      if (!url || !url->tls) return std::nullopt;
      return std::string(text);
    }
    case ConfigKind::url:
      if (!parse_setting_url(text)) return std::nullopt;
      return std::string(text);
    case ConfigKind::url_path:
      if (!text.starts_with('/') || text.find_first_of(" #") != std::string_view::npos)
        return std::nullopt;
      return std::string(text);
    case ConfigKind::journal_url:
      if (!text.starts_with("sqlite:") || text.size() == 7) return std::nullopt;
      return absolute(base, text.substr(7));
    case ConfigKind::number:
    case ConfigKind::flag:
    case ConfigKind::choices:
    case ConfigKind::texts:
    case ConfigKind::text_map:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<ConfigValue> check_number(const ConfigKey& key, std::int64_t value) {
  if (key.kind != ConfigKind::number || value < key.least || value > key.most) return std::nullopt;
  return value;
}

std::optional<ConfigValue> check_list(const ConfigKey& key, const std::vector<std::string>& list) {
  if (key.kind != ConfigKind::choices && key.kind != ConfigKind::texts) return std::nullopt;
  if (key.kind == ConfigKind::choices && list.empty()) return std::nullopt;
  for (const std::string& item : list)
    if (!printable(item) || (key.kind == ConfigKind::choices && !choice_index(key, item)))
      return std::nullopt;
  return list;
}

std::optional<ConfigValue> check_map(const ConfigKey& key,
                                     const std::map<std::string, std::string>& map) {
  if (key.kind != ConfigKind::text_map) return std::nullopt;
  for (const auto& [name, value] : map)
    if (!printable(name) || !choice_index(key, value)) return std::nullopt;
  return map;
}

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

Checked or_range(std::optional<ConfigValue> value, const ConfigKey& key) {
  if (value) return *std::move(value);
  return std::unexpected("must be " + describe_range(key));
}

}  // namespace

bool ListenAddress::loopback() const {
  boost::system::error_code bad;
  const auto address = asio::ip::make_address(host, bad);
  if (bad) return false;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

std::string describe_range(const ConfigKey& key) {
  const auto choices = fmt::format("{}", fmt::join(split(key.choices, ' '), ", "));
  switch (key.kind) {
    case ConfigKind::number:
      return fmt::format("{} to {}", key.least, key.most);
    case ConfigKind::flag:
      return "true or false";
    case ConfigKind::text:
      return "text";
    case ConfigKind::choice:
      return fmt::format("one of {}", choices);
    case ConfigKind::choices:
      return fmt::format("a list of {}", choices);
    case ConfigKind::texts:
      return "a list of text";
    case ConfigKind::text_map:
      return fmt::format("a table of kid = one of {}", choices);
    case ConfigKind::address:
      return "ADDRESS:PORT with a numeric address and port 0 to 65535";
    case ConfigKind::path:
      return "a file";
    case ConfigKind::path_or_url:
      return "a file or an https URL";
    case ConfigKind::url:
      return "an http or https URL without user, query or fragment";
    case ConfigKind::url_path:
      return "a path that begins with /";
    case ConfigKind::journal_url:
      return "sqlite:FILE";
  }
  return {};
}

Checked check_config_value(const ConfigKey& key, const RawConfigValue& raw,
                           const std::filesystem::path& base) {
  const auto check = Overloaded{
      [&](const std::string& text) { return check_text(key, text, base); },
      [&](std::int64_t value) { return check_number(key, value); },
      [&](double) { return std::optional<ConfigValue>{}; },
      [&](bool value) {
        return key.kind == ConfigKind::flag ? std::optional<ConfigValue>{value} : std::nullopt;
      },
      [&](const std::vector<std::string>& list) { return check_list(key, list); },
      [&](const std::map<std::string, std::string>& map) { return check_map(key, map); }};
  return or_range(std::visit(check, raw), key);
}

Checked check_config_text(const ConfigKey& key, std::string_view text,
                          const std::filesystem::path& base) {
  switch (key.kind) {
    case ConfigKind::number: {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc{} || end != text.data() + text.size())
        return or_range(std::nullopt, key);
      return or_range(check_number(key, value), key);
    }
    case ConfigKind::flag:
      if (text != "true" && text != "false") return or_range(std::nullopt, key);
      return text == "true";
    case ConfigKind::choices:
    case ConfigKind::texts:
      return or_range(check_list(key, split(text, ',')), key);
    case ConfigKind::text_map: {
      std::map<std::string, std::string> map;
      for (const std::string& part : split(text, ',')) {
        const std::size_t equals = part.rfind('=');
        if (equals == std::string::npos) return or_range(std::nullopt, key);
        map[part.substr(0, equals)] = part.substr(equals + 1);
      }
      return or_range(check_map(key, map), key);
    }
    default:
      return or_range(check_text(key, text, base), key);
  }
}

}  // namespace vesper
