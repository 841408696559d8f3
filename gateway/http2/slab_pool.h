// Memory that the sessions of one worker share and reuse: output slabs, streams, header blocks,
// event batches. So an idle connection holds none of it, and a busy one allocates none. Owned by
// the worker, outlives its sessions; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gateway/http2/flow_window.h"
#include "gateway/http2/recycler.h"
#include "gateway/limits.h"

namespace pinion::http2 {

class HeaderBlock;
struct EventBatch;
struct StreamState;

// A piece of output: the bytes from `begin` to `end` wait for the socket.
struct Slab {
  Slab() {}  // leaves the bytes as they are

  std::unique_ptr<Slab> next;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint8_t bytes[limits::kSlabBytes];
};

class SlabPool {
 public:
  SlabPool();
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // An empty slab; given back with PutSlab().
  std::unique_ptr<Slab> TakeSlab();
  void PutSlab(std::unique_ptr<Slab> slab) { slabs_.Put(std::move(slab)); }

  Recycler<StreamState>& streams() { return streams_; }
  Recycler<HeaderBlock>& header_blocks() { return header_blocks_; }
  Recycler<EventBatch>& event_batches() { return event_batches_; }

  WindowBudget& window_budget() { return window_budget_; }

  // Where a header block is encoded before it is framed. Contents do not survive the call that uses
  // it.
  std::vector<uint8_t>& scratch() { return scratch_; }

 private:
  Recycler<Slab> slabs_;
  Recycler<StreamState> streams_;
  Recycler<HeaderBlock> header_blocks_;
  Recycler<EventBatch> event_batches_;
  WindowBudget window_budget_{limits::kGrownWindowBytesMax};
  std::vector<uint8_t> scratch_;
};

}  // namespace pinion::http2
