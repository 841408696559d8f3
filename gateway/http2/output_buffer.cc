#include "gateway/http2/output_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "gateway/http2/slab_pool.h"

namespace pinion::http2 {

OutputBuffer::OutputBuffer(SlabPool& pool) : pool_(pool) {}

OutputBuffer::~OutputBuffer() {
  while (head_ != nullptr) DropHead();
}

void OutputBuffer::DropHead() {
  std::unique_ptr<Slab> next = std::move(head_->next);
  pool_.PutSlab(std::move(head_));
  head_ = std::move(next);
}

Slab& OutputBuffer::TailWithRoom(size_t bytes) {
  if (tail_ == nullptr || limits::kSlabBytes - tail_->end < bytes) {
    std::unique_ptr<Slab>& place = tail_ == nullptr ? head_ : tail_->next;
    place = pool_.TakeSlab();
    tail_ = place.get();
  }
  return *tail_;
}

void OutputBuffer::Append(Bytes bytes) {
  size_ += bytes.size();
  appended_ += bytes.size();
  while (!bytes.empty()) {
    Slab& slab = TailWithRoom(1);
    const size_t part = std::min(bytes.size(), limits::kSlabBytes - slab.end);
    std::memcpy(slab.bytes + slab.end, bytes.data(), part);
    slab.end += static_cast<uint32_t>(part);
    bytes.remove_prefix(part);
  }
}

uint8_t* OutputBuffer::Extend(size_t bytes) {
  DCHECK(bytes <= limits::kSlabBytes);
  Slab& slab = TailWithRoom(bytes);
  uint8_t* place = slab.bytes + slab.end;
  slab.end += static_cast<uint32_t>(bytes);
  size_ += bytes;
  appended_ += bytes;
  return place;
}

size_t OutputBuffer::Peek(absl::Span<Bytes> out) const {
  size_t count = 0;
  for (const Slab* slab = head_.get(); slab != nullptr && count < out.size();
       slab = slab->next.get()) {
    if (slab->end > slab->begin)
      out[count++] = Bytes(slab->bytes + slab->begin, slab->end - slab->begin);
  }
  return count;
}

void OutputBuffer::Consume(size_t bytes) {
  CHECK(bytes <= size_);
  size_ -= bytes;
  while (head_ != nullptr) {
    const size_t part = std::min<size_t>(bytes, head_->end - head_->begin);
    head_->begin += static_cast<uint32_t>(part);
    bytes -= part;
    if (head_->begin < head_->end) return;
    DropHead();
  }
  tail_ = nullptr;
}

}  // namespace pinion::http2
