#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "stages/journal/chain.hpp"
#include "stages/journal/delivery_id.hpp"
#include "stages/journal/entry_encoding.hpp"
#include "stages/journal/journal_formats.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/sha256.hpp"

// Every constant below was computed by a separate program (Python's hashlib and uuid) from the
// formats as the headers describe them.
namespace vesper {
namespace {

std::string hex(const Hash& hash) {
  std::string out;
  append_hex(out, hash);
  return out;
}

std::vector<Hash> thirteen_leaves() {
  std::vector<Hash> leaves;
  for (char i = 0; i < 13; ++i) leaves.push_back(content_hash(std::string_view{&i, 1}));
  return leaves;
}

const Uuid submission = *parse_uuid("019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");
const WallTime received{std::chrono::milliseconds{1763640845123}};

TEST(ContentHash, MatchesFips180Vectors) {
  EXPECT_EQ(hex(content_hash("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(content_hash("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(DeliveryId, MatchesAnIndependentComputation) {
  EXPECT_EQ(to_string(delivery_id("EVENING-01", PatientText{"S-000123"}, submission)),
            "19a7a470-209b-5b9d-9d80-2044c986809c");
}

TEST(DeliveryId, CannotBeSharedByMovingABoundary) {
  EXPECT_NE(delivery_id("AB", PatientText{"C"}, submission),
            delivery_id("A", PatientText{"BC"}, submission));
  EXPECT_NE(lane_of("AB", PatientText{"C"}), lane_of("A", PatientText{"BC"}));
}

TEST(Lane, NeverChanges) {
  // Stored in outbox rows: a change would let two diaries of one patient overtake each other.
  EXPECT_EQ(lane_of("EVENING-01", PatientText{"S-000123"}), 10807502110414777518u);
  EXPECT_NE(lane_of("EVENING-01", PatientText{"S-000123"}),
            lane_of("EVENING-01", PatientText{"S-000124"}));
}

TEST(Chain, RootsMatchRfc6962Recursion) {
  const auto leaves = thirteen_leaves();
  const std::pair<std::size_t, const char*> roots[] = {
      {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {2, "c71a16f21f917ed84ea2caa90b0904c9179a4c9c2369a9b4ec57e11a3f25a7a2"},
      {3, "d78663a8f1a2d99ee97fe38a605be2f54e2872c3a63a13077d617e4a940725bd"},
      {5, "550347fe72bcb7c23a0576eb793f410a6192c5d678b483eb1adfd880720b55ea"},
      {7, "cc73b298e8e4f30a03faa5269796029c17e3fe4b1519250482ddc00a7d2e20da"},
      {8, "f36bcde6dad5de59abe552a27830872409aada55ff786972f67b0cacb653353d"},
      {13, "9168e0ef21d0cff7bcb19f5e01d7043d25b3c154e7c2efe5d26ead644e51de80"}};
  for (const auto& [count, root] : roots)
    EXPECT_EQ(hex(merkle_root(std::span(leaves).first(count))), root) << count;
}

TEST(Chain, InclusionPathsMatchRfc6962Recursion) {
  const auto leaves = thirteen_leaves();
  Sha256 all;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    for (const Hash& step : inclusion_path(leaves, i)) all.update(step);
  EXPECT_EQ(hex(all.finish()), "ea5ffb9678460ab038eedbf147354aa99d0d3277803a8edd97c113754c8643bc");
}

TEST(Chain, EveryPathProvesItsLeafAndNothingElse) {
  const auto all = thirteen_leaves();
  for (std::size_t count = 1; count <= all.size(); ++count) {
    const auto leaves = std::span(all).first(count);
    const Hash root = merkle_root(leaves);
    for (std::size_t i = 0; i < count; ++i) {
      auto path = inclusion_path(leaves, i);
      EXPECT_TRUE(verify_inclusion(leaves[i], i, count, path, root)) << i << " of " << count;
      EXPECT_FALSE(verify_inclusion(all[(i + 1) % 13], i, count, path, root));
      EXPECT_FALSE(verify_inclusion(leaves[i], i + 1, count, path, root));
      for (std::size_t step = 0; step < path.size(); ++step) {
        path[step][31] ^= 1;
        EXPECT_FALSE(verify_inclusion(leaves[i], i, count, path, root));
        path[step][31] ^= 1;
      }
      path.push_back(root);
      EXPECT_FALSE(verify_inclusion(leaves[i], i, count, path, root));
    }
  }
}

TEST(Chain, LeafGenesisAndLinkMatchAnIndependentComputation) {
  Salt salt;
  for (std::uint8_t i = 0; i < 16; ++i) salt[i] = i;
  EXPECT_EQ(hex(chain_leaf(salt, content_hash("entry"))),
            "bd38b3837ef5397dc77aad35704f7f25cab348866254bdcfd1266bb629ebef75");
  const Hash genesis = chain_genesis(*parse_uuid("00112233-4455-6677-8899-aabbccddeeff"));
  EXPECT_EQ(hex(genesis), "e13039c4afc3c4eafc6d04df2f45bdaaec0b8b25c6c785d88a0955fbeb52b72d");
  const GroupSeal seal{.previous = genesis,
                       .root = thirteen_leaves().front(),
                       .number = 1,
                       .count = 2,
                       .first_position = 7,
                       .committed_at = received};
  EXPECT_EQ(hex(chain_link(seal)),
            "85383413b35c4d4ecbdd4212320a26bd2d4176541345005bff2d5443b93fe385");
}

class Encoding : public testing::Test {
 protected:
  Encoding() {
    caller.issuer = "https://id.example";
    caller.kid = "k1";
    caller.algorithm = "ES256";
    caller.jti = "j-1";
    caller.acr = "acr";
    caller.amr = "amr";
    caller.subject = "nurse";
    caller.scopes.bits = 6;
    entry.submission_id = submission;
    entry.trial_id = "EVENING-01";
    entry.subject_id = PatientText{"S-000123"};
    entry.delivery_id = delivery_id(entry.trial_id, entry.subject_id, submission);
    entry.trial_revision = 9;
    entry.form_id = "evening-diary";
    entry.form_version = "3";
    entry.content_hash = content_hash("{}");
    entry.received_at = received;
    entry.authored = PatientText{"2026-11-20T20:14:05+08:00"};
    entry.site = "site-7";
    entry.app_version = "2.4.1";
    entry.caller = &caller;
    entry.disposition = Disposition::flagged;
    entry.flags = 5;
    entry.amends = Uuid{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    entry.mapper_version = 3;
    entry.destinations = &destinations;
  }
  Caller caller;
  std::vector<std::string> destinations{"default", "second"};
  JournalEntry entry;
};

TEST_F(Encoding, MatchesAnIndependentComputation) {
  std::string head, context;
  encode_head(entry, head);
  encode_context(entry, context);
  EXPECT_EQ(hex(content_hash(head)),
            "d477c3447b74777f067a4bf23c91e71851291735023d520588308ac51b76ab90");
  EXPECT_EQ(hex(content_hash(context)),
            "ff8eee199310f0cf50026a15567db1b21937b2a3b7b4869d458aed30350e257a");
  EXPECT_EQ(hex(content_hash(head + context)),
            "c01a451420cd1a93b78de26b8656b339ddf6218c73cbc9876235a5ce3f89fa84");
}

TEST_F(Encoding, ContextReadsBackAndRefusesEveryTruncation) {
  std::string bytes;
  encode_context(entry, bytes);
  EntryContext context;
  ASSERT_TRUE(decode_context(bytes, context));
  EXPECT_EQ(context.trial_id, "EVENING-01");
  EXPECT_EQ(context.app_version, "2.4.1");
  EXPECT_EQ(context.amr, "amr");
  EXPECT_EQ(context.scopes.bits, 6);
  EXPECT_EQ(context.trial_revision, 9u);
  EXPECT_EQ(context.mapper_version, 3);
  EXPECT_EQ(context.destinations, (std::vector<std::string_view>{"default", "second"}));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_context(std::string_view(bytes).substr(0, size), context)) << size;
  EXPECT_FALSE(decode_context(bytes + "x", context));
  bytes[0] = 2;
  EXPECT_FALSE(decode_context(bytes, context));
}

TEST(EventEncoding, MatchesAnIndependentComputation) {
  std::string out;
  encode_event({"trial.publish", "a", "EVENING-01", "why", received}, content_hash("doc"), out);
  EXPECT_EQ(hex(content_hash(out)),
            "d814103978117a426905a41ff3afbf097f102a7cb18b4399220f7ab96a48647f");
}

TEST(Receipt, HasTheMembersOfTheContractInAFixedOrder) {
  ReceiptFacts facts;
  facts.submission_id = submission;
  facts.delivery_id = delivery_id("EVENING-01", PatientText{"S-000123"}, submission);
  facts.received_at = received;
  facts.content_hash = content_hash("abc");
  facts.disposition = Disposition::flagged;
  facts.flags = 7;
  facts.chain_id = submission;
  facts.group = 12;
  facts.index = 3;
  facts.group_hash = content_hash("");
  std::string text;
  write_receipt(text, facts);
  EXPECT_EQ(
      text,
      R"({"submissionId":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b",)"
      R"("deliveryId":"19a7a470-209b-5b9d-9d80-2044c986809c",)"
      R"("receivedAt":"2025-11-20T12:14:05.123Z",)"
      R"("contentHash":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",)"
      R"("disposition":"flagged","flags":["late","duplicate-in-window","clock-skew"],)"
      R"("chain":{"id":"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b","group":12,"index":3,)"
      R"("hash":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},)"
      R"("proof":null})");
  EXPECT_TRUE(nlohmann::json::parse(text).is_object());
}

TEST(Receipt, WithoutFlagsHasAnEmptyList) {
  std::string text;
  write_receipt(text, {});
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["disposition"], "accepted");
  EXPECT_TRUE(json["flags"].is_array() && json["flags"].empty());
  EXPECT_TRUE(json["proof"].is_null());
}

}  // namespace
}  // namespace vesper
