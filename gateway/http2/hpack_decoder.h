// The receiving half of HPACK (RFC 7541). Owned by a session; one thread. Holds no memory before
// its first header block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/http2/header_block.h"
#include "gateway/http2/hpack_table.h"
#include "gateway/http2/hpack_wire.h"
#include "gateway/http2/types.h"

namespace pinion::http2 {

// How much of a header list is copied. The rest is decoded, because the table is shared with later
// blocks, and dropped.
struct HeaderListLimits {
  uint32_t bytes_max;
  uint32_t fields_max;

  // Where decoding ends too: it takes the table's help to say that much, and each byte is ours to
  // decode.
  uint64_t bytes_end() const { return uint64_t{bytes_max} * limits::kHeaderListTimes; }
};

// One header block as it arrives, in as many pieces as it comes.
struct HeaderListProgress {
  size_t bytes = 0;  // name + value + 32 of each field, dropped ones too
  size_t fields = 0;
  bool too_large = false;
};

class HpackDecoder {
 public:
  // `scratch` outlives the decoder and grows as needed; its contents do not survive a call.
  explicit HpackDecoder(std::vector<uint8_t>& scratch) : scratch_(scratch) {}

  // Decodes a piece of a header block, the last one if `final`, into `block` (null: into nothing).
  // False when it is not HPACK, a name or value is longer than limits::kHeaderStringBytesMax, or
  // the list comes to bytes_end(): the connection is lost.
  [[nodiscard]] bool Decode(Bytes piece, bool final, const HeaderListLimits& limits,
                            HeaderListProgress& progress, HeaderBlock* block);

 private:
  // Where the fields of a piece go.
  struct Sink {
    const HeaderListLimits& limits;
    HeaderListProgress& progress;
    HeaderBlock* block;

    void Add(const HeaderField& field);
  };

  // Each reads one representation (RFC 7541 section 6).
  hpack::Read Representation(Bytes& in, Sink& sink);
  hpack::Read Indexed(Bytes& in, Sink& sink);
  hpack::Read Literal(Bytes& in, uint8_t prefix_max, Sink& sink);
  hpack::Read TableSize(Bytes& in);

  // False: no field has this index.
  bool Lookup(uint32_t index, HeaderField& field) const;
  // What a literal's strings say, in scratch_ where they are Huffman-coded. False: broken codes.
  bool ReadTexts(const hpack::String& name, const hpack::String& value, HeaderField& field);
  void Keep(Bytes rest);

  std::vector<uint8_t>& scratch_;
  HpackTable table_;
  std::vector<uint8_t> kept_;  // a representation whose end has not arrived
  bool fields_begun_ = false;  // in this block; table sizes stand before them
};

}  // namespace pinion::http2
