#pragma once
#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "base/random.hpp"
#include "ports/bundle_source.hpp"
#include "ports/http_service.hpp"
#include "ports/journal_store.hpp"

namespace vesper {

/// `GET /patient/data/{submissionId}`: receipt, bundle and the state of each delivery.
///   Shape: what does not exist and what is someone else's get the same 404.
class DiaryReader {
 public:
  DiaryReader(JournalStore& journal, BundleSource& bundles, Random& random)
      : journal_(journal), bundles_(bundles), random_(random) {}

  asio::awaitable<void> run(Exchange& exchange, std::string_view submission_id);

 private:
  asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> find(Exchange& exchange,
                                                                            Uuid submission_id);
  void write(Reply& reply, const StoredDiary& diary);

  JournalStore& journal_;
  BundleSource& bundles_;
  Random& random_;
};

}  // namespace vesper
