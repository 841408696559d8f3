// The sending half of HPACK (RFC 7541), made for a proxy: header blocks of many callers that are
// alike, on connections that live for long. Owned by a session; one thread.
//
// A field enters the dynamic table when it is sent for the second time within a short memory of
// what was sent before. So what is new in every call (timeouts, trace ids, request ids, whatever
// their names) never displaces what repeats, and no list of names is needed. Literals are not
// Huffman-coded: what repeats costs a byte or two anyway, and the rest is not worth its time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gateway/http2/types.h"
#include "gateway/limits.h"

namespace pinion::http2 {

class HpackEncoder {
 public:
  // The peer's SETTINGS_HEADER_TABLE_SIZE; at most limits::kHpackTableBytes of it are used.
  void SetTableBytes(uint32_t bytes);

  // Encodes one header block into `scratch`, which grows as needed, and returns the part that was
  // used. Fields keep their order. Allocates only when a field enters the table.
  Bytes Encode(absl::Span<const HeaderField> fields, std::vector<uint8_t>& scratch);

 private:
  // RFC 7541 section 4.1: an entry costs its name, its value and 32.
  static constexpr size_t kEntryOverheadBytes = 32;
  static constexpr size_t kSeenSlots = 64;

  struct Entry {
    std::string text;  // name, then value; the memory stays when the entry goes
    size_t name_bytes = 0;
  };

  // Nothing of it exists before the first field that is not in the static table.
  struct Table {
    // A ring: entry k of `count`, from the oldest on, is at (oldest + k) mod the size. Hashes stand
    // apart, so that a search reads one or two cache lines; zero where no entry is.
    std::vector<uint32_t> hashes;
    std::vector<Entry> entries;
    size_t oldest = 0;
    size_t count = 0;
    size_t bytes = 0;
    // By hash: the last field that was sent and is not in the table.
    std::array<uint32_t, kSeenSlots> seen{};
  };

  uint8_t* WriteField(uint8_t* out, const HeaderField& field);
  uint8_t* WriteTableSize(uint8_t* out);
  // Index of the field in the dynamic table; 0: it is not there.
  size_t Find(uint32_t hash, const HeaderField& field) const;
  bool SeenBefore(uint32_t hash);
  void Insert(uint32_t hash, const HeaderField& field);
  void EvictUntil(size_t bytes_max);
  void Grow();

  std::unique_ptr<Table> table_;
  uint32_t table_bytes_ = limits::kHpackTableBytes;
  // The smallest size since the last block: it has to be announced too (RFC 7541 section 4.2).
  uint32_t table_bytes_min_ = limits::kHpackTableBytes;
  uint32_t announced_bytes_ = limits::kHpackTableBytes;
};

}  // namespace pinion::http2
