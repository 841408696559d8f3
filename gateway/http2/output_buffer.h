// Bytes waiting for the socket: a queue of slabs, so that nothing moves when it grows and an idle
// connection holds none. Owned by a Session; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "gateway/http2/types.h"

namespace pinion::http2 {

class SlabPool;
struct Slab;

class OutputBuffer {
 public:
  explicit OutputBuffer(SlabPool& pool);
  ~OutputBuffer();
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  void Append(Bytes bytes);

  // Room for exactly `bytes` contiguous bytes, at most kSlabBytes, appended when the call returns;
  // the caller fills it at once.
  uint8_t* Extend(size_t bytes);

  // Fills `out` with the first pieces in order and returns how many; 0 when empty. Valid until the
  // next non-const call.
  size_t Peek(absl::Span<Bytes> out) const;

  // Drops the first `bytes` bytes: they were written.
  void Consume(size_t bytes);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Bytes ever appended. What was appended before a moment is written once this less size() reaches
  // that moment's value.
  uint64_t appended() const { return appended_; }

 private:
  Slab& TailWithRoom(size_t bytes);
  void DropHead();

  SlabPool& pool_;
  std::unique_ptr<Slab> head_;
  Slab* tail_ = nullptr;
  size_t size_ = 0;
  uint64_t appended_ = 0;
};

}  // namespace pinion::http2
