#pragma once
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

namespace vesper::sim {

/// Wraps a completion handler so that calling it posts to the coroutine's own executor.
template <class Result, class Handler>
std::move_only_function<void(Result)> resume_by_post(Handler handler) {
  return [handler = std::move(handler)](Result result) mutable {
    auto executor = boost::asio::get_associated_executor(handler);
    boost::asio::post(executor,
                      [handler = std::move(handler), result = std::move(result)]() mutable {
                        std::move(handler)(std::move(result));
                      });
  };
}

}  // namespace vesper::sim
