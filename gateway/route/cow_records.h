// CowRecords: short byte strings by dense number, each with a 32-bit value, whose copies share
// memory; and the slots that find pins and identities by hash. The counterpart of CowSlots for what
// has a name: a million consumers at some 20 bytes each. Thread-compatible; a copy made by Freeze()
// is immutable and any thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
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
    return *groups_[id >> (kChunkBits + kGroupBits)]
                ->chunks[id >> kChunkBits & ((1u << kGroupBits) - 1)];
  }
  Chunk& MutableChunk(uint32_t id);

  uint64_t epoch_ = 1;
  std::vector<std::shared_ptr<Group>> groups_;
};

// (consumer, service, method) → number of the expression in its service. Consumers and services are
// numbered from 1 here.
struct PinSlot {
  uint32_t consumer = 0;
  uint32_t service = 0;
  uint16_t method = 0;  // 0: the whole service
  uint16_t expression = 0;

  bool empty() const { return consumer == 0; }
  static uint64_t HashOf(uint32_t consumer, uint32_t service, uint16_t method) {
    return absl::HashOf(consumer, service, method);
  }
  uint64_t Hash() const { return HashOf(consumer, service, method); }
  bool SameKey(const PinSlot& other) const {
    return consumer == other.consumer && service == other.service && method == other.method;
  }
};

// The same key → how soon streams on another version must end.
struct DrainSlot {
  uint32_t consumer = 0;
  uint32_t service = 0;
  uint32_t method = 0;
  uint32_t seconds = 0;

  bool empty() const { return consumer == 0; }
  uint64_t Hash() const {
    return PinSlot::HashOf(consumer, service, static_cast<uint16_t>(method));
  }
};

enum class IdentityKind : char {
  kHeader = 'h',
  kSpiffe = 's',
  kDnsSan = 'd',
  kJwt = 'j',
  kApiKey = 'k'
};

// An identity → the record that owns it: an explicit identity's own, or the consumer whose name is
// its identity by header.
struct IdentitySlot {
  uint32_t hash_low = 0;
  uint32_t hash_high = 0;
  uint32_t record = 0;  // numbered from 1
  bool is_consumer() const { return (record & kConsumerBit) != 0; }
  uint32_t id() const { return record & ~kConsumerBit; }

  static constexpr uint32_t kConsumerBit = 0x80000000;

  bool empty() const { return record == 0; }
  uint64_t Hash() const { return static_cast<uint64_t>(hash_high) << 32 | hash_low; }
};

}  // namespace pinion::route
