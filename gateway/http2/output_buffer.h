// Bytes waiting for the socket: a queue of slabs, so that nothing moves when it grows and an idle connection holds none.
// Owned by a Session; one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "gateway/http2/types.h"

namespace pinion::http2 {

// Slabs kept for reuse by all sessions of one worker. Bounded by limits::kSlabsKeptMax.
class SlabPool;

class OutputBuffer {
 public:
  explicit OutputBuffer(SlabPool& pool);
  ~OutputBuffer();
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  void Append(Bytes bytes);

  // Room for exactly `bytes` contiguous bytes, at most kSlabBytes, appended when the call returns; the caller fills it at once.
  uint8_t* Extend(size_t bytes);

  // Fills `out` with the first pieces in order and returns how many; 0 when empty. Valid until the next non-const call.
  size_t Peek(absl::Span<Bytes> out) const;

  // Drops the first `bytes` bytes: they were written.
  void Consume(size_t bytes);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Slab;
  friend class SlabPool;

  SlabPool& pool_;
  Slab* head_ = nullptr;
  Slab* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace pinion::http2
