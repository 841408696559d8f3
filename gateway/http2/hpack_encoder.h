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
#include <vector>

#include "absl/types/span.h"
#include "gateway/http2/header_field.h"
#include "gateway/http2/hpack_table.h"
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
  static constexpr size_t kSeenSlots = 64;
  using Seen = std::array<uint32_t, kSeenSlots>;

  uint8_t* WriteField(uint8_t* out, HeaderField field);
  uint8_t* WriteTableSize(uint8_t* out);
  bool SeenBefore(uint32_t hash);

  HpackTable table_;
  std::unique_ptr<Seen> seen_;  // by hash: the last field that was sent and is not in the table
  uint32_t table_bytes_ = limits::kHpackTableBytes;
  // The smallest size since the last block: it has to be announced too (RFC 7541 section 4.2).
  uint32_t table_bytes_min_ = limits::kHpackTableBytes;
  uint32_t announced_bytes_ = limits::kHpackTableBytes;
};

}  // namespace pinion::http2
