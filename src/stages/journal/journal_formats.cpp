#include "stages/journal/journal_formats.hpp"

#include "stages/journal/chain.hpp"
#include "stages/journal/delivery_id.hpp"
#include "stages/journal/entry_encoding.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/receipt_key.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {

const JournalRules& journal_formats() {
  static constexpr JournalRules rules{.content_hash = content_hash,
                                      .delivery_id = delivery_id,
                                      .lane = lane_of,
                                      .encode_head = encode_head,
                                      .encode_rest = encode_rest,
                                      .entry_digest = entry_digest,
                                      .encode_context = encode_context,
                                      .decode_context = decode_context,
                                      .encode_event = encode_event,
                                      .leaf = chain_leaf,
                                      .encode_conflict = encode_conflict,
                                      .grow_tree = grow_tree,
                                      .genesis = chain_genesis,
                                      .link = chain_link,
                                      .carried = chain_carried,
                                      .write_group_proof = write_group_proof,
                                      .key_id = receipt_key_id,
                                      .verify_link = verify_link};
  return rules;
}

}  // namespace vesper
