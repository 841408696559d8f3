#include "gateway/http2/header_block.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace pinion::http2 {
namespace {

// The headers of an ordinary gRPC request, held while its call is open. Not a page or so: chunks
// that begin at like places of pages would compete for the same lines of the cache.
constexpr size_t kChunkBytes = 512;
constexpr size_t kFields = 12;
// For the next block: a token beside the ordinary fields.
constexpr size_t kKeptBytesMax = kChunkBytes + 2048;

}  // namespace

void HeaderBlock::NextChunk(size_t bytes_min) {
  const size_t next = used_chunks_++;
  if (next < chunks_.size() && chunks_[next].bytes < bytes_min) chunks_.resize(next);
  if (next == chunks_.size()) {
    const size_t bytes = std::bit_ceil(std::max(kChunkBytes, bytes_min));
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(bytes), bytes});
  }
  free_ = chunks_[next].memory.get();
  free_end_ = free_ + chunks_[next].bytes;
}

inline absl::string_view HeaderBlock::Copy(absl::string_view text) {
  if (text.empty()) return {};
  if (static_cast<size_t>(free_end_ - free_) < text.size()) NextChunk(text.size());
  char* const place = std::exchange(free_, free_ + text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void HeaderBlock::Add(const HeaderField& field) {
  if (fields_.capacity() == 0) fields_.reserve(kFields);
  HeaderField& copy = fields_.emplace_back(field);
  copy.name_id = field.Name();
  copy.name = copy.name_id == HeaderName::kOther ? Copy(field.name) : TextOf(copy.name_id);
  copy.value = Copy(field.value);
  list_bytes_ += field.list_bytes();
}

void HeaderBlock::Clear() {
  fields_.clear();
  list_bytes_ = 0;
  used_chunks_ = 0;
  free_ = free_end_ = nullptr;
  size_t kept = 0, bytes = 0;
  while (kept < chunks_.size() && (bytes += chunks_[kept].bytes) <= kKeptBytesMax) ++kept;
  chunks_.resize(kept);
}

const HeaderField* HeaderBlock::Find(HeaderName name) const {
  for (const HeaderField& field : fields_) {
    if (field.name_id == name) return &field;
  }
  return nullptr;
}

}  // namespace pinion::http2
