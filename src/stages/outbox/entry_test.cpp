#include "stages/outbox/entry.hpp"

#include <gtest/gtest.h>

namespace vesper::outbox {
namespace {

constexpr Event every_event[] = {Event::lease,   Event::settle,  Event::park, Event::no_answer,
                                 Event::release, Event::redrive, Event::skip};

TEST(OutboxEntry, DeliveredIsFinal) {
  for (const Event event : every_event) EXPECT_FALSE(allowed(DeliveryState::delivered, event));
}

TEST(OutboxEntry, NeverLosesCountOfTries) {
  Entry entry;
  for (std::uint32_t n = 1; n <= 1000; ++n) {
    entry = after(after(entry, Event::lease), Event::no_answer);
    ASSERT_EQ(entry.attempts, n);
    ASSERT_EQ(entry.state, DeliveryState::owed);
  }
  EXPECT_EQ(after({DeliveryState::leased, UINT32_MAX}, Event::no_answer).attempts, UINT32_MAX);
}

TEST(OutboxEntryDeathTest, AbortsOnATransitionThatIsOurBug) {
  EXPECT_DEATH((void)after({DeliveryState::parked, 1}, Event::settle), "invariant");
}

}  // namespace
}  // namespace vesper::outbox
