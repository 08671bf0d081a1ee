// Sealing: what makes a commit group one signed link of the audit chain.
#include <fmt/format.h>

#include <algorithm>

#include "base/ensure.hpp"
#include "io/sqlite/sqlite_journal.hpp"

namespace vesper {
namespace {

std::int64_t stored(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

std::span<const std::uint8_t> bytes_of(std::span<const Hash> hashes) {
  return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

}  // namespace

void SqliteJournal::seal_group() {
  const std::size_t diaries = leaves_.size();
  leaves_.insert(leaves_.end(), event_leaves_.begin(), event_leaves_.end());
  leaves_.insert(leaves_.end(), conflict_leaves_.begin(), conflict_leaves_.end());
  auto proof = std::make_shared<GroupProof>();
  proof->nodes.reserve(2 * leaves_.size() + 32);
  proof->nodes = leaves_;
  rules_.grow_tree(proof->nodes);
  proof->seal = {.previous = carried_,
                 .root = proof->nodes.back(),
                 .number = group_ + 1,
                 .count = static_cast<std::uint32_t>(leaves_.size()),
                 .first_position = first_position_,
                 .committed_at = committed_at_};
  link_ = rules_.link(proof->seal);
  group_ = proof->seal.number;
  auto& row = insert_group_;
  row.bind(1, stored(group_)).bind(2, stored(first_position_));
  row.bind(3, static_cast<std::int64_t>(diaries)).bind(4, proof->seal.count);
  row.bind(5, committed_at_.time_since_epoch().count()).bind_blob(6, link_);
  row.bind_null(7).bind_null(8).bind_blob(9, bytes_of(leaves_));
  carried_ = link_;
  if (signer_ != nullptr) sign_group(*proof);
  row.run();
  newest_proof_ = nullptr;
  if (proof->key != nullptr) {
    proofs_->keep(proof);
    newest_proof_ = std::move(proof);
  }
  if (next_position_ - last_anchor_ < options_.anchor_entries) return;
  write_anchor_.bind(1, stored(group_)).run();
  last_anchor_ = next_position_;
}

void SqliteJournal::sign_group(GroupProof& proof) {
  proof.key = receipt_keys_.find(receipt_keys_.newest());
  ensure(proof.key != nullptr && proof.key->kid == signer_->key().kid);
  proof.signature = signer_->sign({chain_id_, group_, link_});
  insert_group_.bind(7, receipt_keys_.newest()).bind_blob(8, proof.signature);
  carried_ = rules_.carried(link_, proof.key->kid, proof.signature);
  rules_.write_group_proof(proof, proof.text);
}

// A new key is taken into use by a group of its own, which says so and is the first it signs.
std::expected<void, OpenFailure> SqliteJournal::adopt_receipt_key() {
  if (!options_.signer) return {};
  const bool first = receipt_keys_.all().empty();
  auto signer = options_.signer(first);
  if (!signer) return std::unexpected(OpenFailure{OpenFault::receipt_key, signer.error()});
  const ReceiptKeyFacts& key = (*signer)->key();
  signer_ = std::move(*signer);
  if (!first && receipt_keys_.all().back()->kid == key.kid) return {};
  if (std::ranges::any_of(receipt_keys_.all(),
                          [&](const auto& old) { return old->kid == key.kid; }))
    return std::unexpected(OpenFailure{
        OpenFault::receipt_key,
        fmt::format("the receipt key {} was in force before and another has followed it: an old "
                    "key does not come back; make a new one",
                    key.kid)});
  Task adopt[] = {[&](SqliteJournal& inside) {
    ReceiptKeyFacts taken = key;
    taken.first_group = group_ + 1;
    taken.made_at = clock_.wall();
    receipt_keys_.add(*connection_, taken);
    inside.record({"receipt-key.use", "local", taken.kid, taken.algorithm, taken.made_at},
                  rules_.content_hash(taken.public_key));
  }};
  if (commit_group({}, adopt, {})) return {};
  return std::unexpected(OpenFailure{OpenFault::cannot_read, options_.path + ": " + trouble_});
}

std::optional<std::string> SqliteJournal::verify_whole_chain() {
  try {
    ChainEnd start;
    start.carried = rules_.genesis(chain_id_);
    auto end = verify_chain(*connection_, rules_, receipt_keys_, chain_id_, start,
                            SignatureCheck::last_of_each_key);
    if (!end) return end.error();
    if (end->link != link_) return "the chain does not end where it should";
    return std::nullopt;
  } catch (const SqliteError& error) {
    return error.what();
  }
}

}  // namespace vesper
