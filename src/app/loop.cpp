#include "app/loop.hpp"

#include <pthread.h>

#include <boost/asio/post.hpp>

namespace vesper {

Loop::Loop(std::string name) : name_(std::move(name)), guard_(context_.get_executor()) {
  name_.resize(std::min<std::size_t>(name_.size(), 15));
}

void Loop::run() {
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), name_.c_str());
    context_.run();
  }};
}

void Loop::stop() {
  guard_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace vesper
