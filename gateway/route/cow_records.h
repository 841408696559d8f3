// CowRecords: short byte strings by dense number, each with a 32-bit value, whose copies share
// memory. The counterpart of CowSlots for what has a name: a million consumers at some 20 bytes
// each. Thread-compatible; a copy made by Freeze() is immutable and any thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pinion::route {

class CowRecords {
 public:
  // REQUIRES: Put before. The view is valid as long as a frozen copy that holds it.
  absl::string_view Bytes(uint32_t id) const;
  uint32_t Value(uint32_t id) const;

  // REQUIRES: at most 65,535 bytes.
  void Put(uint32_t id, absl::string_view bytes, uint32_t value);

  // An immutable copy that shares everything; what this one changes from now on is copied first.
  CowRecords Freeze();

  size_t MemoryBytes() const;

 private:
  // 64 records to a chunk, 256 chunks to a group.
  static constexpr uint32_t kChunkBits = 6;
  static constexpr uint32_t kGroupBits = 8;
  static constexpr uint32_t kChunkMask = (1u << kChunkBits) - 1;
  static constexpr uint32_t kGroupMask = (1u << kGroupBits) - 1;

  struct Record {
    uint32_t offset = 0;
    uint32_t size = 0;
    uint32_t value = 0;
  };
  struct Chunk {
    uint64_t epoch = 0;
    std::vector<Record> records;
    std::string bytes;
  };
  struct Group {
    uint64_t epoch = 0;
    std::vector<std::shared_ptr<Chunk>> chunks;
  };

  const Chunk& ChunkOf(uint32_t id) const {
    return *groups_[id >> (kChunkBits + kGroupBits)]->chunks[id >> kChunkBits & kGroupMask];
  }
  Chunk& MutableChunk(uint32_t id);
  // Closes the gap that the bytes of `forgotten` leave.
  static void Forget(Chunk& chunk, Record& forgotten);

  uint64_t epoch_ = 1;
  std::vector<std::shared_ptr<Group>> groups_;
};

}  // namespace pinion::route
