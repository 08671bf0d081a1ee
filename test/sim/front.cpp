#include "front.hpp"

#include <charconv>
#include <utility>

#include "flows/routes.hpp"

namespace vesper::sim {

int Told::retry_after() const {
  constexpr std::string_view name = "Retry-After: ";
  const std::size_t at = headers.find(name);
  int seconds = 0;
  if (at != std::string::npos)
    std::from_chars(headers.data() + at + name.size(), headers.data() + headers.size(), seconds);
  return seconds;
}

Visit::Visit(const Ask& ask, OnTold on)
    : path(ask.path),
      bytes(ask.body),
      authorization("Bearer " + ask.token),
      length(std::to_string(ask.body.size())),
      lines(ask.headers),
      on_told(std::move(on)) {
  const bool reads = ask.method == Method::get;
  lines.push_back({"Authorization", authorization});
  if (!reads) lines.push_back({"Content-Type", "application/json"});
  if (!reads) lines.push_back({"Content-Length", length});
  head.method = ask.method;
  head.method_name = name_of(ask.method);
  head.path = path;
  head.headers = lines;
  head.has_content_length = !reads;
  head.content_length = bytes.size();
}

template <class Call>
void Front::after(Duration delay, Call call) {
  parts_.world.after(delay, [alive = alive_, call = std::move(call)]() mutable {
    if (*alive) call();
  });
}

void Front::arrive(const VisitPtr& visit) {
  const Instant now = parts_.world.now();
  visit->told.arrived = now;
  line_.enter(visit->place, now, now);
  waiting_.emplace(&visit->place, visit);
  if (!busy_) look();
}

void Front::leave(const VisitPtr& visit) {
  if (std::exchange(visit->left, true)) return;
  if (waiting_.erase(&visit->place) > 0) return line_.leave(visit->place);
  visit->departure.leave();
}

void Front::tell(const VisitPtr& visit) {
  if (visit->left) return;
  visit->left = true;
  Told& told = visit->told;
  told.status = visit->reply.status;
  told.body = visit->reply.body;
  told.headers = visit->reply.headers;
  told.answered = parts_.world.now();
  visit->on_told(told);
}

void Front::look() {
  const auto next = line_.next(parts_.world.now());
  if (next.place != nullptr) read(waiting_.extract(next.place).mapped(), next.as);
}

void Front::read(VisitPtr visit, admission::ReadLine::As as) {
  busy_ = true;
  const Instant now = parts_.world.now();
  visit->started = visit->told.read = now;
  visit->waited = now - visit->told.arrived;
  visit->surplus = visit->told.surplus = as == admission::ReadLine::As::surplus;
  const bool answered = parts_.begin(*visit);
  const Duration took =
      parts_.besides(*visit) + (answered ? parts_.costs.refuse : parts_.costs.accept);
  after(took, [this, visit, as, answered, took] { finish(visit, as, answered, took); });
}

void Front::finish(const VisitPtr& visit, admission::ReadLine::As as, bool answered,
                   Duration took) {
  using Outcome = admission::ReadLine::Outcome;
  busy_ = false;
  line_.done(as, answered ? Outcome::refused : Outcome::admitted, took);
  if (line_.measured())
    parts_.slots.set_part(0, 1e9 / static_cast<double>(line_.service().count()));
  if (answered)
    tell(visit);
  else if (!visit->left)
    visit->body = visit->bytes, parts_.serve(visit);
  if (!busy_) look();
}

}  // namespace vesper::sim
