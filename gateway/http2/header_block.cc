#include "gateway/http2/header_block.h"

#include <algorithm>
#include <cstring>

namespace pinion::http2 {
namespace {

// The headers of an ordinary gRPC request, held while its call is open. Not a page or so: chunks
// that begin at like places of pages would compete for the same lines of the cache.
constexpr size_t kChunkBytes = 1024;

}  // namespace

void HeaderBlock::NewChunk(size_t bytes_min) {
  chunk_bytes_ = std::max(kChunkBytes, bytes_min);
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes_));
  chunk_used_ = 0;
}

void HeaderBlock::Add(const HeaderField& field) {
  const size_t name_bytes = field.name.size();
  const size_t value_bytes = field.value.size();
  char* place = Allocate(name_bytes + value_bytes);
  if (name_bytes > 0) std::memcpy(place, field.name.data(), name_bytes);
  if (value_bytes > 0) std::memcpy(place + name_bytes, field.value.data(), value_bytes);
  HeaderField& copy = fields_.emplace_back(field);
  copy.name = {place, name_bytes};
  copy.value = {place + name_bytes, value_bytes};
  list_bytes_ += name_bytes + value_bytes + 32;
}

void HeaderBlock::Clear() {
  fields_.clear();
  list_bytes_ = 0;
  chunk_used_ = 0;
  if (chunks_.size() > 1 || chunk_bytes_ > kChunkBytes) {
    chunks_.clear();
    chunk_bytes_ = 0;
  }
}

const HeaderField* HeaderBlock::Find(absl::string_view name) const {
  for (const HeaderField& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace pinion::http2
