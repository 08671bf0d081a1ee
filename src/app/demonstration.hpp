#pragma once
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "app/config.hpp"
#include "flows/catalog_keeper.hpp"
#include "flows/keys/key_source.hpp"
#include "ports/entropy.hpp"
#include "ports/file_store.hpp"

namespace vesper {

/// The demonstration trial document, as deploy/demo/trial.json has it.
[[nodiscard]] std::string_view demonstration_trial();

/// Development keys of this demonstration: made anew beside its journal (demo-keys.json, 0600),
/// kept for its next start.
///   Errors: text for the operator.
[[nodiscard]] std::expected<KeySource, std::string> demonstration_keys(const Config& config,
                                                                       FileStore& files,
                                                                       Entropy& entropy);

/// Publishes the demonstration trial unless this journal has one.
asio::awaitable<std::expected<void, std::string>> publish_demonstration_trial(
    CatalogKeeper& keeper);

}  // namespace vesper
