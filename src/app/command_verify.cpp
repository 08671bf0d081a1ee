#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/input_file.hpp"
#include "base/encoding.hpp"
#include "base/wall_time.hpp"
#include "io/clock/system_clock.hpp"
#include "io/entropy/system_entropy.hpp"
#include "io/sqlite/verify_journal.hpp"
#include "stages/journal/anchor.hpp"
#include "stages/journal/journal_formats.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/receipt_check.hpp"
#include "stages/journal/receipt_key_set.hpp"

namespace vesper {
namespace {

/// Why the command ends before it has an answer.
struct Slip {
  ExitStatus status = ExitStatus::usage;
  std::string text;
};
template <class T>
using Or = std::expected<T, Slip>;

std::unexpected<Slip> slip(std::string text) {
  return std::unexpected(Slip{ExitStatus::usage, std::move(text)});
}

/// Reads what an option names; `read` makes something of its bytes.
template <class Read>
auto from_file(const Invocation& invocation, std::string_view option, Read read)
    -> Or<typename decltype(read(std::string_view{}))::value_type> {
  const std::string path = *invocation.text(option);
  const auto bytes = read_input(path);
  if (!bytes) return slip(bytes.error());
  auto made = read(std::string_view{*bytes});
  if (!made) return slip(fmt::format("{}: {}", path, made.error()));
  return std::move(*made);
}

struct Given {
  std::vector<ReceiptKeyFacts> keys;
  std::vector<SignedLink> anchors;
  std::optional<ShownReceipt> receipt;
  std::optional<std::string> source;
};

Or<Given> read_given(const Invocation& invocation) {
  Given given;
  if (invocation.text("keys")) {
    auto keys = from_file(invocation, "keys", read_key_set);
    if (!keys) return std::unexpected(keys.error());
    if (keys->empty()) return slip("--keys: the set has no key that signs receipts");
    given.keys = std::move(*keys);
  }
  if (invocation.text("anchor")) {
    auto anchors = from_file(invocation, "anchor", read_anchors);
    if (!anchors) return std::unexpected(anchors.error());
    if (anchors->empty()) return slip("--anchor: the file has no anchor");
    given.anchors = std::move(*anchors);
  }
  if (invocation.text("receipt")) {
    auto receipt = from_file(invocation, "receipt", read_receipt);
    if (!receipt) return std::unexpected(receipt.error());
    given.receipt = std::move(*receipt);
  }
  if (const auto path = invocation.text("source")) {
    auto bytes = read_input(*path);
    if (!bytes) return slip(bytes.error());
    given.source = std::move(*bytes);
  }
  return given;
}

std::optional<std::string> misuse(const Invocation& invocation) {
  const bool journal = invocation.flag("journal"), receipt = invocation.flag("receipt");
  if (!journal && !receipt) return "name --receipt FILE, --journal FILE or both";
  if (receipt && !invocation.flag("keys"))
    return "--keys FILE: missing; it is what GET /.well-known/vesper-receipt-keys answers";
  if (invocation.flag("source") && !receipt) return "--source goes with --receipt";
  if (invocation.flag("anchor") && !journal) return "--anchor goes with --journal";
  if (invocation.flag("all-signatures") && !journal) return "--all-signatures goes with --journal";
  return std::nullopt;
}

std::string hex_of(const Hash& hash) {
  std::string out;
  append_hash(out, hash);
  return out;
}

/// One member after the other, as JSON or as lines for a person.
class Answer {
 public:
  explicit Answer(bool json) : json_(json) {}
  void add(std::string_view name, std::string_view text) {
    std::string escaped;
    append_json_escaped(escaped, text);
    put(name, json_ ? fmt::format("\"{}\"", escaped) : std::string{text});
  }
  void add(std::string_view name, std::uint64_t number) { put(name, std::to_string(number)); }
  void write(Invocation& invocation, bool verified, std::string_view reason) const {
    if (json_) {
      std::string escaped;
      append_json_escaped(escaped, reason);
      invocation.out << fmt::format(R"({{"verified":{},"reason":"{}"{}}})", verified, escaped,
                                    text_)
                     << "\n";
    } else {
      invocation.out << (verified ? "verified" : "not verified: ") << reason << "\n" << text_;
    }
  }

 private:
  void put(std::string_view name, const std::string& value) {
    text_ +=
        json_ ? fmt::format(R"(,"{}":{})", name, value) : fmt::format("{:<16}{}\n", name, value);
  }
  const bool json_;
  std::string text_;
};

void tell_receipt(Answer& answer, const ShownReceipt& receipt) {
  const ReceiptFacts& facts = receipt.facts;
  answer.add("submissionId", to_string(facts.submission_id));
  answer.add("deliveryId", to_string(facts.delivery_id));
  answer.add("receivedAt", to_string(facts.received_at));
  answer.add("contentHash", hex_of(facts.content_hash));
  answer.add("chain", to_string(facts.chain_id));
  answer.add("group", facts.group);
  if (!receipt.signed_one) return;
  answer.add("position", facts.position);
  answer.add("committedAt", to_string(receipt.seal.committed_at));
  answer.add("kid", receipt.kid);
}

void tell_journal(Answer& answer, const VerifyReport& report) {
  answer.add("journalChain", to_string(report.chain_id));
  answer.add("diaries", report.diaries);
  answer.add("groups", report.groups);
  answer.add("signedGroups", report.signed_groups);
  answer.add("signaturesChecked", report.signatures);
  answer.add("auditEvents", report.events);
  answer.add("conflicts", report.conflicts);
  answer.add("lastLink", hex_of(report.link));
  answer.add("anchoredTo", report.anchored_to);
}

Or<VerifyReport> verify_file(Invocation& invocation, const Given& given) {
  VerifyRequest request;
  request.path = *invocation.text("journal");
  request.keys = given.keys;
  std::vector<SignedLink> anchors = given.anchors;
  // A receipt that verified states a signed link of its own.
  if (given.receipt)
    anchors.push_back({{given.receipt->facts.chain_id, given.receipt->facts.group,
                        given.receipt->facts.group_hash},
                       given.receipt->seal.committed_at,
                       given.receipt->kid,
                       given.receipt->algorithm,
                       given.receipt->signature});
  request.anchors = anchors;
  if (invocation.flag("all-signatures")) request.signatures = SignatureCheck::every;
  SystemEntropy entropy;
  request.seed = {entropy.next(), entropy.next()};
  const SystemClock clock;
  const Instant began = clock.now();
  auto report = verify_journal(request, journal_formats());
  if (!report) return std::unexpected(Slip{ExitStatus::journal_unusable, report.error().detail});
  const auto took = std::chrono::duration<double>(clock.now() - began).count();
  invocation.err << fmt::format("{} diaries read in {:.2f} s\n", report->diaries, took);
  return std::move(*report);
}

Or<bool> verify_all(Invocation& invocation, const Given& given, Answer& answer,
                    std::string& reason) {
  if (given.receipt) {
    tell_receipt(answer, *given.receipt);
    const auto source =
        given.source ? std::optional<std::string_view>{*given.source} : std::nullopt;
    if (const auto checked = check_receipt(*given.receipt, given.keys, source); !checked) {
      reason = checked.error();
      return false;
    }
  }
  if (!invocation.flag("journal")) return true;
  const auto report = verify_file(invocation, given);
  if (!report) return std::unexpected(report.error());
  reason = report->fault;
  tell_journal(answer, *report);
  return report->fault.empty();
}

}  // namespace

ExitStatus command_verify(Invocation& invocation) {
  const auto fail = [&](ExitStatus status, std::string_view text) {
    invocation.err << "vesper verify: " << text << "\n";
    return status;
  };
  if (const auto wrong = misuse(invocation)) return fail(ExitStatus::usage, *wrong);
  const auto given = read_given(invocation);
  if (!given) return fail(given.error().status, given.error().text);
  Answer answer(invocation.flag("json"));
  std::string reason;
  const auto verified = verify_all(invocation, *given, answer, reason);
  if (!verified) return fail(verified.error().status, verified.error().text);
  answer.write(invocation, *verified, reason);
  if (*verified && given->keys.empty())
    invocation.err << "note: without --keys the journal's own keys were believed: this finds "
                      "damage, not whoever made it anew\n";
  return *verified ? ExitStatus::done : ExitStatus::answer_is_no;
}

}  // namespace vesper
