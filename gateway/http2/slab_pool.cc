#include "gateway/http2/slab_pool.h"

#include "gateway/http2/event_batch.h"
#include "gateway/http2/header_block.h"
#include "gateway/http2/stream_state.h"

namespace pinion::http2 {

SlabPool::SlabPool()
    : slabs_(limits::kSlabsKeptMax),
      streams_(limits::kStreamsKeptMax),
      header_blocks_(limits::kHeaderBlocksKeptMax),
      event_batches_(limits::kEventBatchesKeptMax) {}

SlabPool::~SlabPool() = default;

std::unique_ptr<Slab> SlabPool::TakeSlab() {
  std::unique_ptr<Slab> slab = slabs_.Take();
  slab->begin = slab->end = 0;
  return slab;
}

}  // namespace pinion::http2
