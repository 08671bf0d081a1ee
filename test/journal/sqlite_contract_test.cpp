#include "contract/journal_contract.hpp"
#include "journal/test_store.hpp"

namespace vesper::contract {
namespace {

class SqliteHarness final : public Harness {
 public:
  SqliteHarness() { store_.open(); }
  void drive(std::function<asio::awaitable<void>()> body) override {
    store_.drive(std::move(body));
  }
  void drive_all(std::vector<std::function<asio::awaitable<void>()>> bodies) override {
    store_.drive_all(std::move(bodies));
  }
  void restart() override { store_.restart(); }
  JournalStore& journal() override { return *store_.store; }
  OutboxStore& outbox() override { return *store_.store; }
  Deadline soon() override { return store_.soon(); }

 private:
  TestStore store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, JournalContract, SqliteHarness);

}  // namespace
}  // namespace vesper::contract
