#include "io/http/buffers.hpp"

namespace vesper {

Block BlockPool::take(std::size_t size) {
  if (size == block_bytes && !free_.empty()) {
    Block block = std::move(free_.back());
    free_.pop_back();
    ++in_use_;
    return block;
  }
  const std::size_t before = load_->bytes.fetch_add(size, std::memory_order_relaxed);
  if (before + size > load_->bytes_max.load(std::memory_order_relaxed)) {
    load_->bytes.fetch_sub(size, std::memory_order_relaxed);
    return {};
  }
  if (before + size > load_->bytes_tried.load(std::memory_order_relaxed)) ++past_tried_;
  load_->bytes_most.raise(before + size);
  ++in_use_;
  return Block{size};
}

void BlockPool::give_back(Block block) {
  if (!block) return;
  --in_use_;
  if (block.size == block_bytes) {
    free_.push_back(std::move(block));
  } else {
    load_->bytes.fetch_sub(block.size, std::memory_order_relaxed);
  }
}

void BlockPool::trim(std::size_t keep) {
  while (free_.size() > keep) {
    load_->bytes.fetch_sub(free_.back().size, std::memory_order_relaxed);
    free_.pop_back();
  }
}

void Work::prepare() {
  exchange.body = {};
  exchange.caller.reset();
  exchange.route = 0;
  exchange.party = 0;
  exchange.charge = {};
  exchange.deadline = {};
  exchange.waited = {};
  exchange.surplus = false;
  exchange.departure.reset();
  exchange.reply.reset();
  exchange.arena.reset();
  body_bytes = 0;
}

std::unique_ptr<Work> WorkPool::take() {
  if (free_.empty()) return std::make_unique<Work>();
  auto work = std::move(free_.back());
  free_.pop_back();
  return work;
}

void WorkPool::give_back(std::unique_ptr<Work> work) {
  if (!work) return;
  // One large answer must not be held for ever.
  if (work->exchange.reply.body.capacity() > text_bytes_kept) work->exchange.reply.body = {};
  if (work->out.capacity() > text_bytes_kept) work->out = {};
  work->exchange.caller.reset();
  free_.push_back(std::move(work));
}

void WorkPool::trim(std::size_t keep) {
  if (free_.size() > keep) free_.resize(keep);
}

}  // namespace vesper
