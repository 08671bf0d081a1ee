#include "app/demonstration.hpp"

#include <array>

#include "stages/access/demo_keys.hpp"

namespace vesper {
namespace {

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
constexpr char trial_document[] = {
#embed "../../deploy/demo/trial.json"
};
#pragma clang diagnostic pop

constexpr std::size_t key_file_bytes_max = 64 * 1024;

}  // namespace

std::string_view demonstration_trial() {
  return {trial_document, sizeof trial_document};
}

std::expected<KeySource, std::string> demonstration_keys(const Config& config, FileStore& files,
                                                         Entropy& entropy) {
  const std::string path = (config.journal.sqlite_file.parent_path() / "demo-keys.json").string();
  KeySource source;
  source.location = path;
  source.rules = access::demonstration_rules();
  if (files.read(path, key_file_bytes_max, Secrecy::owner_only)) return source;
  std::array<std::uint8_t, access::demonstration_entropy_bytes> secret{};
  entropy.fill(secret);
  const access::DemoKeys made = access::make_demo_keys(secret);
  if (auto kept = files.replace(path, made.key_set); !kept)
    return std::unexpected{path + ": " + std::string{text_of(kept.error())}};
  return source;
}

asio::awaitable<std::expected<void, std::string>> publish_demonstration_trial(
    CatalogKeeper& keeper) {
  const auto published = co_await keeper.publish(
      {"EVENING-01", demonstration_trial(), "demonstration", {true, {}}, nullptr});
  if (published || published.error().status == 412) co_return std::expected<void, std::string>{};
  std::string text = "the demonstration trial is refused";
  for (const auto& issue : published.error().issues)
    text += ": " + issue.expression + " " + issue.diagnostics;
  co_return std::unexpected{text};
}

}  // namespace vesper
