#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "stages/journal/anchor.hpp"
#include "stages/journal/chain.hpp"
#include "stages/journal/entry_encoding.hpp"
#include "stages/journal/receipt.hpp"
#include "stages/journal/receipt_check.hpp"
#include "stages/journal/receipt_key.hpp"
#include "stages/journal/receipt_key_set.hpp"
#include "stages/journal/sha256.hpp"

namespace vesper {
namespace {

constexpr std::string_view source = R"({"answers":{"pain-nrs":4}})";
const Uuid chain = *parse_uuid("019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");

std::string pem_of(ReceiptAlgorithm algorithm, std::uint8_t seed) {
  std::array<std::uint8_t, receipt_key_entropy_bytes> entropy{};
  entropy.fill(seed);
  return make_receipt_key(algorithm, entropy);
}

std::unique_ptr<ReceiptSigner> signer_of(ReceiptAlgorithm algorithm, std::uint8_t seed = 7) {
  auto signer = ReceiptSigner::from_pem(pem_of(algorithm, seed));
  EXPECT_TRUE(signer) << (signer ? "" : signer.error());
  return std::move(*signer);
}

/// A signed group of `count` diaries, as the journal makes it.
struct SignedGroup {
  explicit SignedGroup(const LinkSigner& signer, std::size_t count = 5, std::uint64_t number = 12) {
    Random random(count);
    auto made = std::make_shared<GroupProof>();
    for (std::size_t i = 0; i < count; ++i) {
      ReceiptFacts facts;
      facts.submission_id = uuid_v7(1763640845123, random.next(), random.next());
      facts.delivery_id = uuid_v7(1763640845123, random.next(), random.next());
      facts.received_at = WallTime{std::chrono::milliseconds{1763640845123}};
      facts.content_hash = content_hash(source);
      facts.disposition = Disposition::flagged;
      facts.flags = 5;
      facts.chain_id = chain;
      facts.group = number;
      facts.index = static_cast<std::uint32_t>(i);
      for (auto& byte : facts.salt) byte = static_cast<std::uint8_t>(random.next());
      facts.rest = content_hash(std::to_string(i));
      made->nodes.push_back(chain_leaf(facts.salt, entry_digest(facts)));
      receipts.push_back(facts);
    }
    grow_tree(made->nodes);
    made->seal = {.previous = content_hash("before"),
                  .root = made->nodes.back(),
                  .number = number,
                  .count = static_cast<std::uint32_t>(count),
                  .first_position = 100,
                  .committed_at = WallTime{std::chrono::milliseconds{1763640845200}}};
    made->key = std::make_shared<ReceiptKeyFacts>(signer.key());
    const Hash link = chain_link(made->seal);
    made->signature = signer.sign({chain, number, link});
    write_group_proof(*made, made->text);
    for (auto& facts : receipts) {
      facts.group_hash = link;
      facts.proof = made;
    }
  }
  [[nodiscard]] std::string text(std::size_t index) const {
    std::string out;
    write_receipt(out, receipts[index]);
    return out;
  }
  std::vector<ReceiptFacts> receipts;
};

std::string verdict(std::string_view receipt, std::span<const ReceiptKeyFacts> keys,
                    std::optional<std::string_view> bytes = {}) {
  const auto shown = read_receipt(receipt);
  if (!shown) return shown.error();
  const auto checked = check_receipt(*shown, keys, bytes);
  return checked ? "" : checked.error();
}

TEST(ReceiptKey, HasTheThumbprintOfRfc8037) {
  ReceiptKeyFacts key;
  key.algorithm = "EdDSA";
  ASSERT_TRUE(decode_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", key.public_key));
  EXPECT_EQ(receipt_key_id(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  key.algorithm = "ES256";
  EXPECT_EQ(receipt_key_id(key), "");
}

TEST(ReceiptKey, SignsTheDocumentedBytes) {
  const auto bytes = statement_bytes({chain, 258, content_hash("")});
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(bytes.data()), 15),
            std::string_view("vesper-link-v1\0", 15));
  std::string hex;
  append_hex(hex, bytes);
  EXPECT_EQ(hex.substr(30, 48), "019aaf0e7c1e7b52a3b01d2c3e4f5a6b0000000000000102");
  EXPECT_EQ(hex.substr(78), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(ReceiptKey, IsRefusedWhenItIsNoneThatSignsReceipts) {
  EXPECT_FALSE(ReceiptSigner::from_pem(""));
  EXPECT_FALSE(
      ReceiptSigner::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"));
  EXPECT_EQ(pem_of(ReceiptAlgorithm::eddsa, 1), pem_of(ReceiptAlgorithm::eddsa, 1));
  EXPECT_NE(pem_of(ReceiptAlgorithm::es256, 1), pem_of(ReceiptAlgorithm::es256, 2));
}

TEST(ReceiptProof, VerifiesForEveryIndexOfEveryGroupAndBothAlgorithms) {
  for (const auto algorithm : {ReceiptAlgorithm::eddsa, ReceiptAlgorithm::es256}) {
    const auto signer = signer_of(algorithm);
    const std::vector keys{signer->key()};
    for (std::size_t count = 1; count <= 17; ++count) {
      const SignedGroup group(*signer, count);
      for (std::size_t i = 0; i < count; ++i)
        EXPECT_EQ(verdict(group.text(i), keys, source), "") << i << " of " << count;
    }
  }
}

TEST(ReceiptProof, StaysWithinItsBounds) {
  const SignedGroup small(*signer_of(ReceiptAlgorithm::eddsa), 1),
      large(*signer_of(ReceiptAlgorithm::es256), 1024);
  EXPECT_LE(small.text(0).size(), 1100u);
  EXPECT_LE(large.text(1023).size(), 1100u + 10 * 67);
}

// Negative control of the whole format: whatever byte of a receipt is changed, it is refused.
TEST(ReceiptProof, NoByteOfAReceiptCanBeChanged) {
  const auto signer = signer_of(ReceiptAlgorithm::eddsa);
  const std::vector keys{signer->key()};
  const SignedGroup group(*signer);
  const std::string text = group.text(3);
  ASSERT_EQ(verdict(text, keys, source), "");
  for (std::size_t i = 0; i < text.size(); ++i)
    for (const char bit : {'\x01', '\x02', '\x10'}) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      EXPECT_NE(verdict(changed, keys, source), "") << i << ": " << changed.substr(0, i + 1);
    }
}

TEST(ReceiptProof, RefusesAnotherIndexPathSaltOrKeyByName) {
  const auto signer = signer_of(ReceiptAlgorithm::eddsa);
  const auto other = signer_of(ReceiptAlgorithm::eddsa, 8);
  const std::vector keys{signer->key()}, others{other->key()};
  const SignedGroup group(*signer);
  using Json = nlohmann::ordered_json;
  const auto change = [&](auto edit) {
    Json receipt = Json::parse(group.text(2)), neighbour = Json::parse(group.text(3));
    edit(receipt, neighbour);
    return verdict(receipt.dump(), keys, source);
  };
  const std::string changed =
      "what the receipt says does not lead to the link it states: a member was changed";
  EXPECT_EQ(change([](Json&, Json&) {}), "");
  EXPECT_EQ(change([](Json& one, Json&) { one["chain"]["index"] = 3; }), changed);
  EXPECT_EQ(change([](Json& one, Json&) { one["chain"]["index"] = 5; }),
            "the path does not fit entry 5 of a group of 5");
  EXPECT_EQ(change([](Json& one, Json& two) { one["proof"]["path"] = two["proof"]["path"]; }),
            changed);
  EXPECT_EQ(change([](Json& one, Json&) { one["proof"]["path"].erase(0); }),
            "the path does not fit entry 2 of a group of 5");
  EXPECT_EQ(change([](Json& one, Json& two) { one["proof"]["salt"] = two["proof"]["salt"]; }),
            changed);
  EXPECT_EQ(change([](Json& one, Json& two) { one["submissionId"] = two["submissionId"]; }),
            changed);
  EXPECT_EQ(change([](Json& one, Json&) { one["proof"] = nullptr; }),
            "the receipt has no proof: its diary was stored before receipts were signed");
  EXPECT_EQ(verdict(group.text(2), keys, "other bytes"),
            "the source is not what the receipt is for: its content hash differs");
  EXPECT_NE(verdict(group.text(2), others).find("is not among the keys"), std::string::npos);
}

// Its holder can make any chain, but no signature.
TEST(ReceiptProof, RefusesAGroupSignedByAnotherKeyUnderTheFirstOnesName) {
  const auto signer = signer_of(ReceiptAlgorithm::eddsa),
             thief = signer_of(ReceiptAlgorithm::eddsa, 9);
  const std::vector keys{signer->key()};
  auto receipt = nlohmann::ordered_json::parse(SignedGroup(*thief).text(1));
  receipt["proof"]["kid"] = signer->key().kid;
  EXPECT_EQ(verdict(receipt.dump(), keys, source),
            "the signature is not the key's over this chain, group and link");
}

TEST(ReceiptProof, KnowsWhenAKeyWasInForce) {
  const auto signer = signer_of(ReceiptAlgorithm::eddsa);
  ReceiptKeyFacts key = signer->key();
  const SignedGroup group(*signer, 3, 12);
  key.first_group = 12;
  key.last_group = 12;
  EXPECT_EQ(verdict(group.text(0), std::vector{key}), "");
  key.first_group = 13;
  key.last_group = 0;
  EXPECT_NE(verdict(group.text(0), std::vector{key}).find("not in force at group 12"),
            std::string::npos);
  key.first_group = 1;
  key.last_group = 11;
  EXPECT_NE(verdict(group.text(0), std::vector{key}), "");
}

TEST(ReceiptProof, IsFoundInsideTheAnswerOfARead) {
  const auto signer = signer_of(ReceiptAlgorithm::eddsa);
  const SignedGroup group(*signer);
  EXPECT_EQ(verdict(R"({"receipt":)" + group.text(0) + R"(,"bundle":null,"delivery":[]})",
                    std::vector{signer->key()}),
            "");
  EXPECT_NE(verdict("[]", {}), "");
  EXPECT_NE(verdict("{", {}), "");
}

TEST(ReceiptKeySet, ReadsBackWhatItWrites) {
  ReceiptKeyFacts one = signer_of(ReceiptAlgorithm::eddsa)->key(),
                  two = signer_of(ReceiptAlgorithm::es256)->key();
  one.first_group = 1;
  one.last_group = 9;
  two.first_group = 10;
  const std::string text = write_key_set(std::vector{one, two}, chain);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["keys"][0]["kty"], "OKP");
  EXPECT_EQ(json["keys"][0]["lastGroup"], 9);
  EXPECT_EQ(json["keys"][1]["crv"], "P-256");
  EXPECT_FALSE(json["keys"][1].contains("lastGroup"));
  EXPECT_FALSE(json["keys"][0].contains("d"));
  const auto read = read_key_set(text);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].kid, one.kid);
  EXPECT_EQ((*read)[0].last_group, 9u);
  EXPECT_EQ((*read)[1].public_key, two.public_key);
  EXPECT_FALSE(read_key_set("{}"));
  std::string other = text;
  other.replace(other.find(one.kid), 1, "?");
  EXPECT_FALSE(read_key_set(other));
}

TEST(Anchors, AreReadBackLineByLine) {
  const auto signer = signer_of(ReceiptAlgorithm::es256);
  SignedLink link{{chain, 77, content_hash("x")}, {}, signer->key().kid, "ES256", {}};
  link.signature = signer->sign(link.statement);
  const std::string line = write_anchor(link);
  EXPECT_LE(line.size(), 400u);
  const auto read = read_anchors(line + line + line.substr(0, 50));
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[1].statement.group, 77u);
  EXPECT_TRUE(verify_link(signer->key(), (*read)[0].statement, (*read)[0].signature));
  EXPECT_FALSE(read_anchors("{}\n" + line));
  EXPECT_EQ(read_anchors(line.substr(0, line.size() - 1))->size(), 1u);
}

}  // namespace
}  // namespace vesper
