#pragma once
#include <boost/asio/awaitable.hpp>
#include <source_location>

#include "app/loop.hpp"

namespace vesper {

/// Runs `work` on a loop and waits for it, from a thread that is none of the loops (start and
/// stop).
///   Errors: exceptions of `work` pass through.
template <class T>
T await_on(Loop& loop, StaticText name, asio::awaitable<T> work,
           std::source_location created = std::source_location::current()) {
  return loop.scope().ask(loop.executor(), name, for_ever, std::move(work), created).get();
}

}  // namespace vesper
