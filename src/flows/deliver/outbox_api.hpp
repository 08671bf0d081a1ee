#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flows/deliver/delivery.hpp"
#include "model/http.hpp"

namespace vesper {

/// What a request on the admin port asks of the outbox.
struct OutboxRequest {
  enum class Verb : std::uint8_t { list, show, redrive, skip, pause, resume };
  Verb verb = Verb::list;
  std::string destination{};
  Uuid delivery_id{};
  Position after = 0;       ///< show: parked entries behind this position
  std::size_t limit = 100;  ///< show: 1..1000
  bool as_text = false;     ///< ?format=text: for people
  std::string reason{};     ///< of a change, kept in the audit chain
};

/// A refusal in the asker's terms.
struct OutboxRefusal {
  std::uint16_t status = 400;
  std::string why;
  std::string_view allow = {};  ///< with 405
};

/// GET  /outbox                                     all destinations
/// GET  /outbox/{destination}?after=&limit=         what is parked there
/// POST /outbox/{destination}/{redrive|skip}/{deliveryId}   {"reason":"..."}
/// POST /outbox/{destination}/{pause|resume}                {"reason":"..."}
///   Bounds: a reason has at most 1000 bytes; skip needs one, because a diary is given up.
[[nodiscard]] std::expected<OutboxRequest, OutboxRefusal> parse_outbox_request(
    Method method, std::string_view path, std::string_view query, std::string_view body);

[[nodiscard]] std::string outbox_list_json(const std::vector<OutboxRow>& rows, WallTime now);
[[nodiscard]] std::string outbox_list_text(const std::vector<OutboxRow>& rows, WallTime now);
[[nodiscard]] std::string outbox_show_json(std::string_view destination,
                                           const std::vector<Settlement>& parked,
                                           std::size_t limit);
[[nodiscard]] std::string outbox_show_text(std::string_view destination,
                                           const std::vector<Settlement>& parked);

/// Serves the outbox routes of the admin port.
///   Shape: errors are `{"error":"..."}`; nothing here shows patient content.
///   Thread: any; it hops to the delivery executor and back. `actor` is the token's issuer and
///   subject, or `local`; the caller has checked that it may change things.
class OutboxApi {
 public:
  explicit OutboxApi(Delivery& delivery) : delivery_(delivery) {}
  asio::awaitable<void> serve(const RequestHead& head, std::string_view body,
                              std::string_view actor, Reply& reply, Deadline deadline = for_ever);

 private:
  asio::awaitable<Reply> answer(OutboxRequest request, std::string actor, Deadline deadline);
  asio::awaitable<void> answer(const OutboxRequest& request, std::string_view actor,
                               Deadline deadline, Reply& reply);
  asio::awaitable<void> change(const OutboxRequest& request, std::string_view actor, Reply& reply);
  Delivery& delivery_;
};

}  // namespace vesper
