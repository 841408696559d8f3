#include "gateway/http2/header_block.h"

#include <algorithm>
#include <cstring>

namespace pinion::http2 {
namespace {

// The headers of an ordinary gRPC request, held while its call is open. Not a page or so: chunks
// that begin at like places of pages would compete for the same lines of the cache.
constexpr size_t kChunkBytes = 512;
constexpr size_t kFields = 12;

}  // namespace

void HeaderBlock::NewChunk(size_t bytes_min) {
  const bool first = chunks_.empty();  // always an ordinary one, since it is kept
  chunk_bytes_ = first ? kChunkBytes : std::max(kChunkBytes, bytes_min);
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes_));
  chunk_used_ = 0;
  if (chunk_bytes_ < bytes_min) NewChunk(bytes_min);
}

absl::string_view HeaderBlock::Copy(absl::string_view text) {
  if (text.empty()) return {};
  char* const place = Allocate(text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void HeaderBlock::Add(const HeaderField& field) {
  if (fields_.capacity() == 0) fields_.reserve(kFields);
  HeaderField& copy = fields_.emplace_back(field);
  copy.name_id = field.Name();
  copy.name = copy.name_id == HeaderName::kOther ? Copy(field.name) : TextOf(copy.name_id);
  copy.value = Copy(field.value);
  list_bytes_ += field.name.size() + field.value.size() + 32;
}

void HeaderBlock::Clear() {
  fields_.clear();
  list_bytes_ = 0;
  chunk_used_ = 0;
  if (chunks_.size() <= 1) return;
  chunks_.erase(chunks_.begin() + 1, chunks_.end());
  chunk_bytes_ = kChunkBytes;
}

const HeaderField* HeaderBlock::Find(HeaderName name) const {
  for (const HeaderField& field : fields_) {
    if (field.name_id == name) return &field;
  }
  return nullptr;
}

}  // namespace pinion::http2
