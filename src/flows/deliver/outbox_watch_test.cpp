#include "flows/deliver/outbox_watch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include "flows/deliver/rig_for_tests.hpp"

namespace vesper {
namespace {

class OutboxWatchTest : public Deliver {
 protected:
  void watch() {
    watching.emplace(process->delivery, process->clock, process->figures, process->log);
    asio::co_spawn(process->context, watching->run(),
                   asio::bind_cancellation_slot(
                       end.slot(), [this](const std::exception_ptr&) { ended = true; }));
  }
  std::size_t alarms() const { return process->log.count("outbox.alarm"); }
  std::optional<OutboxWatch> watching;
  asio::cancellation_signal end;
  bool ended = false;
};

TEST_F(OutboxWatchTest, ShowsWhatIsOwedAndWhatIsParked) {
  start();
  process->platform.rules["main"] = [](const std::string& subject, std::uint32_t) {
    return Platform::status(subject == "bad" ? 422 : 503);
  };
  process->commit(1, "bad", {"main"});
  process->commit(2, "good", {"main"});
  watch();
  process->run_for(10s);
  auto& gauges = process->figures.gauges;
  EXPECT_EQ(gauges[Gauge::outbox_parked], 1);
  EXPECT_EQ(gauges[Gauge::outbox_owed], 1);
  EXPECT_EQ(gauges[Gauge::outbox_unconfigured], 0);
  EXPECT_GE(gauges[Gauge::outbox_oldest_seconds], 4);
}

TEST_F(OutboxWatchTest, AlarmIsToldOnceAnHourWhileItsCauseLasts) {
  start();
  process->platform.rules["main"] = [](const std::string&, std::uint32_t) {
    return Platform::status(422);
  };
  process->commit(1, "one", {"main"});
  watch();
  process->run_for(30min);
  EXPECT_EQ(alarms(), 1u);
  process->run_for(1h);
  EXPECT_EQ(alarms(), 2u);
}

TEST_F(OutboxWatchTest, DebtsToADestinationThatLeftAreAlarmed) {
  start({settings_of("main"), settings_of("old")});
  process->platform.rules["old"] = [](const std::string&, std::uint32_t) {
    return Platform::status(503);
  };
  process->commit(1, "one", {"main", "old"});
  process->run_for(1s);
  start({settings_of("main")});
  watch();
  process->run_for(10s);
  EXPECT_EQ(process->figures.gauges[Gauge::outbox_unconfigured], 1);
  EXPECT_EQ(alarms(), 1u);
}

TEST_F(OutboxWatchTest, NothingIsAlarmedWhenAllIsWell) {
  start();
  process->commit(1, "one", {"main"});
  watch();
  process->run_for(2h);
  EXPECT_EQ(alarms(), 0u);
  EXPECT_EQ(process->figures.gauges[Gauge::outbox_owed], 0);
}

TEST_F(OutboxWatchTest, EndsWhenCancelled) {
  start();
  watch();
  process->run_for(1s);
  end.emit(asio::cancellation_type::terminal);
  process->run_for(1s);
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace vesper
