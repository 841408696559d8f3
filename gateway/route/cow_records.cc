#include "gateway/route/cow_records.h"

namespace pinion::route {

absl::string_view CowRecords::Bytes(uint32_t id) const {
  const Chunk& chunk = ChunkOf(id);
  const Record& record = chunk.records[id & kChunkMask];
  return absl::string_view(chunk.bytes).substr(record.offset, record.size);
}

uint32_t CowRecords::Value(uint32_t id) const { return ChunkOf(id).records[id & kChunkMask].value; }

CowRecords::Chunk& CowRecords::MutableChunk(uint32_t id) {
  const size_t group_index = id >> (kChunkBits + kGroupBits);
  if (group_index >= groups_.size()) groups_.resize(group_index + 1);
  auto& group = groups_[group_index];
  if (group == nullptr || group->epoch != epoch_) {
    group = group == nullptr ? std::make_shared<Group>() : std::make_shared<Group>(*group);
    group->epoch = epoch_;
  }
  const size_t chunk_index = id >> kChunkBits & kGroupMask;
  if (chunk_index >= group->chunks.size()) group->chunks.resize(chunk_index + 1);
  auto& chunk = group->chunks[chunk_index];
  if (chunk == nullptr || chunk->epoch != epoch_) {
    chunk = chunk == nullptr ? std::make_shared<Chunk>() : std::make_shared<Chunk>(*chunk);
    chunk->epoch = epoch_;
  }
  return *chunk;
}

void CowRecords::Put(uint32_t id, absl::string_view bytes, uint32_t value) {
  Chunk& chunk = MutableChunk(id);
  const size_t index = id & kChunkMask;
  if (index >= chunk.records.size()) chunk.records.resize(index + 1);
  Record& record = chunk.records[index];
  record.value = value;
  if (Bytes(id) == bytes) return;
  if (record.size != 0) Forget(chunk, record);
  record.offset = static_cast<uint32_t>(chunk.bytes.size());
  record.size = static_cast<uint32_t>(bytes.size());
  chunk.bytes.append(bytes.data(), bytes.size());
}

void CowRecords::Forget(Chunk& chunk, Record& forgotten) {
  chunk.bytes.erase(forgotten.offset, forgotten.size);
  for (Record& record : chunk.records) {
    if (record.offset > forgotten.offset) record.offset -= forgotten.size;
  }
  forgotten.size = 0;
}

CowRecords CowRecords::Freeze() {
  ++epoch_;
  return *this;
}

size_t CowRecords::MemoryBytes() const {
  size_t bytes = sizeof(*this) + groups_.capacity() * sizeof(groups_[0]);
  for (const auto& group : groups_) {
    if (group == nullptr) continue;
    bytes += sizeof(Group) + group->chunks.capacity() * sizeof(group->chunks[0]);
    for (const auto& chunk : group->chunks) {
      if (chunk == nullptr) continue;
      bytes += sizeof(Chunk) + chunk->records.capacity() * sizeof(Record) + chunk->bytes.capacity();
    }
  }
  return bytes;
}

}  // namespace pinion::route
