#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ports/http_service.hpp"
#include "sim/world.hpp"
#include "stages/admission/read_line.hpp"
#include "stages/admission/slots.hpp"

namespace vesper::sim {

/// What things cost the one core of the simulated shard. So slow a core that few requests make an
/// evening's rush.
struct Costs {
  Duration accept = 2ms, refuse = 500us, leave = 200us;
};

/// What a client sends.
struct Ask {
  Method method = Method::post;
  std::string path = "/patient/data", token{}, body{};
  std::vector<Header> headers{};  ///< beside those of every request
};

/// What became of it, as the client and the checks see it.
struct Told {
  int status = 0;
  std::string body, headers;
  Instant arrived{}, read{}, answered{};
  bool surplus = false;
  [[nodiscard]] bool replayed() const { return headers.contains("Idempotent-Replay: true"); }
  /// 0: none was told.
  [[nodiscard]] int retry_after() const;
};
using OnTold = std::function<void(const Told&)>;

/// A request as the HTTP server would own it: the bytes, the headers that point into them, and its
/// place in the line. A connection carries one.
struct Visit : Exchange {
  Visit(const Ask& ask, OnTold told);

  admission::ReadPlace place;
  std::string path, bytes, authorization, length;
  std::vector<Header> lines;
  OnTold on_told;
  Told told;
  bool left = false;
};
using VisitPtr = std::shared_ptr<Visit>;

/// The shard in front of the intake: connections wait in the real read line, and each is read on
/// one core that takes its time.
///   Shape:  arrive -> line -> begin() -> (cost passes) -> refused, or served.
class Front {
 public:
  struct Parts {
    World& world;
    admission::Slots& slots;
    Costs costs;
    std::function<bool(Visit&)> begin;              ///< true: answered by its head
    std::function<void(const VisitPtr&)> serve;     ///< the rest
    std::function<Duration(const Visit&)> besides;  ///< what begin() cost besides: signatures
  };
  Front(const Parts& parts, const admission::ReadRules& rules) : parts_(parts), line_(rules) {}
  ~Front() { *alive_ = false; }
  Front(const Front&) = delete;

  void arrive(const VisitPtr& visit);
  /// The client hangs up.
  void leave(const VisitPtr& visit);
  /// Tells the client, if it is still there.
  void tell(const VisitPtr& visit);

 private:
  void look();
  void read(VisitPtr visit, admission::ReadLine::As as);
  void finish(const VisitPtr& visit, admission::ReadLine::As as, bool answered, Duration took);
  template <class Call>
  void after(Duration delay, Call call);

  Parts parts_;
  admission::ReadLine line_;
  std::map<const admission::ReadPlace*, VisitPtr> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool busy_ = false;
};

}  // namespace vesper::sim
