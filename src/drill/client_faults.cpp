#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "drill/faults.hpp"

namespace vesper::drill {
namespace {

using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t leavers_at_once = 64, first_leaver = 9'000'000;
constexpr std::uint32_t leaving_per_s = 1000, leaving_max = 10'000;

enum class Leaving : std::uint8_t {
  in_the_head,
  in_the_body,
  reset_in_the_body,
  before_the_answer
};

/// One request, whole.
std::string request_of(const Rig& rig, std::uint32_t patient, const Uuid& submission) {
  auto diary = surge::make_diary_template(drill_diary(), drill_trial);
  if (!diary) return {};
  char subject[surge::subject_chars];
  surge::format_subject(patient, subject);
  std::copy_n(subject, sizeof subject, &diary->body[diary->subject_at]);
  format_uuid(submission, &diary->body[diary->id_at]);
  return fmt::format(
      "POST /patient/data HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      rig.token(std::string{drill_trial}, {subject, sizeof subject}), diary->body.size(),
      diary->body);
}

std::size_t bytes_sent(Leaving leaving, std::string_view request) {
  const std::size_t head = request.find("\r\n\r\n") + 4;
  switch (leaving) {
    case Leaving::in_the_head:
      return head / 2;
    case Leaving::in_the_body:
    case Leaving::reset_in_the_body:
      return head + (request.size() - head) / 2;
    case Leaving::before_the_answer:
      return request.size();
  }
  std::unreachable();
}

/// The clients that leave, all of them.
struct Crowd {
  Act& act;
  Random random;
  std::uint32_t left = 0, to_come = 0, at_work = 0, failed = 0;
};

asio::awaitable<void> leave_once(Crowd& crowd, std::uint32_t number) {
  Act& act = crowd.act;
  const auto socket = std::make_shared<tcp::socket>(act.rig.context());
  const tcp::endpoint intake{asio::ip::address_v4::loopback(), act.rig.intake_port()};
  if (std::get<0>(co_await socket->async_connect(intake, as_result))) {
    ++crowd.failed;
    co_return;
  }
  const bool stays = act.options.control == Control::stay;
  const auto leaving = stays ? Leaving::before_the_answer : static_cast<Leaving>(number % 4);
  const std::uint32_t patient = first_leaver + number;
  const Uuid submission =
      uuid_v7(static_cast<std::int64_t>(number), crowd.random.next(), crowd.random.next());
  const std::string request = request_of(act.rig, patient, submission);
  if (leaving == Leaving::before_the_answer)
    act.abandoned.push_back({patient, Rig::delivery_of(patient, submission), {}});
  const auto part = asio::buffer(request.data(), bytes_sent(leaving, request));
  (void)co_await asio::async_write(*socket, part, as_result);
  boost::system::error_code ignored;
  if (leaving == Leaving::reset_in_the_body)
    socket->set_option(asio::socket_base::linger{true, 0}, ignored);
  if (stays)
    act.kept.push_back(socket);
  else
    socket->close(ignored);
  ++crowd.left;
}

asio::awaitable<void> leave_in_turn(Crowd& crowd) {
  while (crowd.to_come > 0) co_await leave_once(crowd, --crowd.to_come);
  --crowd.at_work;
}

}  // namespace

asio::awaitable<void> clients_leave(Act& act) {
  const double seconds = std::chrono::duration<double>(act.options.fault_for).count();
  Crowd crowd{act, Random{act.options.seed}};
  crowd.to_come = act.options.control == Control::stay
                      ? leavers_at_once
                      : std::min(leaving_max, static_cast<std::uint32_t>(seconds * leaving_per_s));
  const std::uint32_t all = crowd.to_come;
  for (crowd.at_work = 0; crowd.at_work < leavers_at_once; ++crowd.at_work)
    act.rig.scope().spawn(act.rig.context().get_executor(), "leaver", for_ever,
                          leave_in_turn(crowd));
  while (crowd.at_work > 0) co_await act.rig.sleep(20ms);
  act.result.hold("clients left in mid request", crowd.left > all / 2,
                  fmt::format("{} of {}, {} could not connect", crowd.left, all, crowd.failed));
  co_await act.rig.clock().sleep_until(act.fault_ends);
}

}  // namespace vesper::drill
