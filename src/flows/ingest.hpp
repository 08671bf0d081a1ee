#pragma once
#include <boost/asio/awaitable.hpp>

#include "base/random.hpp"
#include "flows/limits/share_gate.hpp"
#include "flows/submission.hpp"
#include "ports/catalog.hpp"
#include "ports/clock.hpp"
#include "ports/http_service.hpp"
#include "ports/journal_store.hpp"
#include "ports/telemetry.hpp"
#include "stages/decode/decoder.hpp"

namespace vesper {

/// The journey of one diary: from a request whose caller is known to the receipt.
///   Shape:  one object a shard; requests overlap at the await of the commit.
///   Thread: its shard. References outlive it.
class Ingest {
 public:
  Ingest(Clock& clock, Telemetry& telemetry, JournalStore& journal, const Catalog& catalog,
         Random& random, ShareGate& gate)
      : clock_(clock),
        telemetry_(telemetry),
        journal_(journal),
        catalog_(catalog),
        random_(random),
        gate_(gate) {}

  /// `exchange` has a caller and a whole body; leaves the answer in exchange.reply.
  asio::awaitable<void> run(Exchange& exchange);

 private:
  asio::awaitable<void> refuse_unless_known(Exchange& exchange, const Diary& diary,
                                            Uuid submission_id, const Refusal& refusal,
                                            const Trial& trial);
  void refuse_at(Counter stage, Reply& reply, const Refusal& refusal);
  void refuse_at_journal(Exchange& exchange, StoreFault fault);

  Clock& clock_;
  Telemetry& telemetry_;
  JournalStore& journal_;
  const Catalog& catalog_;
  Random& random_;
  ShareGate& gate_;
  Decoder decoder_;
};

}  // namespace vesper
