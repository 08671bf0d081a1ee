#pragma once
#include <utility>

namespace vesper {

/// Tells work in progress that nobody waits for its result any more.
///   Shape:  leave() once; what the work waits for has a Listener at that time, or none.
///   Thread: the work's.
class Departure {
 public:
  class Listener {
   public:
    explicit Listener(Departure* departure) : departure_(departure) {
      if (departure_ != nullptr) departure_->listener_ = this;
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() {
      if (departure_ != nullptr) departure_->listener_ = nullptr;
    }
    /// Gives up what has not begun. What is waited for still completes, soon.
    virtual void left() = 0;

   private:
    Departure* departure_;
  };

  Departure() = default;
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

  void leave() {
    if (std::exchange(gone_, true)) return;
    if (listener_ != nullptr) listener_->left();
  }
  /// For the next request.
  void reset() { gone_ = false; }
  [[nodiscard]] bool gone() const { return gone_; }

 private:
  Listener* listener_ = nullptr;
  bool gone_ = false;
};

}  // namespace vesper
