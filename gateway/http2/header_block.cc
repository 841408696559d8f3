#include "gateway/http2/header_block.h"

#include <algorithm>
#include <cstring>

namespace pinion::http2 {
namespace {

constexpr size_t kChunkBytes = 4096;  // an ordinary gRPC request's headers with a token among them

}  // namespace

char* HeaderBlock::Allocate(size_t bytes) {
  if (chunks_.empty() || chunk_bytes_ - chunk_used_ < bytes) {
    chunk_bytes_ = std::max(kChunkBytes, bytes);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes_));
    chunk_used_ = 0;
  }
  char* place = chunks_.back().get() + chunk_used_;
  chunk_used_ += bytes;
  return place;
}

void HeaderBlock::Add(absl::string_view name, absl::string_view value, bool never_index) {
  char* place = Allocate(name.size() + value.size());
  if (!name.empty()) std::memcpy(place, name.data(), name.size());
  if (!value.empty()) std::memcpy(place + name.size(), value.data(), value.size());
  fields_.push_back({{place, name.size()}, {place + name.size(), value.size()}, never_index});
  list_bytes_ += name.size() + value.size() + 32;
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
