#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "model/group_proof.hpp"

namespace vesper {

enum class ReceiptAlgorithm : std::uint8_t { eddsa, es256 };

/// A receipt key with its secret half, from an unencrypted PEM (PKCS 8) of Ed25519 or P-256.
///   Source: RFC 8032; FIPS 186-5; RFC 7638 for the kid.
class ReceiptSigner final : public LinkSigner {
 public:
  /// Errors: one sentence, without the bytes.
  static std::expected<std::unique_ptr<ReceiptSigner>, std::string> from_pem(std::string_view pem);
  ~ReceiptSigner() override;
  ReceiptSigner(const ReceiptSigner&) = delete;
  ReceiptSigner& operator=(const ReceiptSigner&) = delete;

  [[nodiscard]] const ReceiptKeyFacts& key() const override { return facts_; }
  [[nodiscard]] Signature sign(const LinkStatement& statement) const override;

 private:
  struct Key;
  ReceiptSigner(ReceiptKeyFacts facts, std::unique_ptr<Key> key);
  ReceiptKeyFacts facts_;
  std::unique_ptr<Key> key_;
};

inline constexpr std::size_t receipt_key_entropy_bytes = 40;
/// A new private key as PEM. Equal entropy gives the equal key.
[[nodiscard]] std::string make_receipt_key(
    ReceiptAlgorithm algorithm, std::span<const std::uint8_t, receipt_key_entropy_bytes> entropy);

/// The bytes that are signed: `vesper-link-v1`, a zero byte, the chain's id, the group's number
/// (big-endian, 8 bytes), its link.
inline constexpr std::size_t link_statement_bytes = 15 + 16 + 8 + 32;
[[nodiscard]] std::array<std::uint8_t, link_statement_bytes> statement_bytes(
    const LinkStatement& statement);

[[nodiscard]] bool verify_link(const ReceiptKeyFacts& key, const LinkStatement& statement,
                               const Signature& signature);
/// Thumbprint of the public key; empty when algorithm and bytes are no key.
[[nodiscard]] std::string receipt_key_id(const ReceiptKeyFacts& key);

}  // namespace vesper
