#pragma once
#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "base/random.hpp"
#include "flows/catalog_keeper.hpp"
#include "ports/catalog.hpp"
#include "ports/http_service.hpp"

namespace vesper {

/// `GET /trials/{id}` (document in force, ETag; `?revision=N` for an earlier one), its history, and
/// `PUT /trials/{id}`.
class TrialRoutes {
 public:
  TrialRoutes(const Catalog& catalog, CatalogKeeper& keeper, Random& random)
      : catalog_(catalog), keeper_(keeper), random_(random) {}

  asio::awaitable<void> read(Exchange& exchange, std::string_view trial_id);
  asio::awaitable<void> history(Exchange& exchange, std::string_view trial_id);
  asio::awaitable<void> publish(Exchange& exchange, std::string_view trial_id);

 private:
  asio::awaitable<void> read_revision(Exchange& exchange, const std::string& trial_id,
                                      std::string_view revision);

  const Catalog& catalog_;
  CatalogKeeper& keeper_;
  Random& random_;
};

}  // namespace vesper
