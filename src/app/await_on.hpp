#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "app/loop.hpp"

namespace vesper {

/// Runs `work` on a loop and waits for it, from a thread that is none of the loops (start and
/// stop).
///   Errors: exceptions of `work` pass through.
template <class T>
T await_on(Loop& loop, asio::awaitable<T> work) {
  return asio::co_spawn(loop.context(), std::move(work), asio::use_future).get();
}

}  // namespace vesper
