// The receiving half of HPACK (RFC 7541): a thin adapter over nghttp2's inflater, the only user of
// nghttp2. Owned by a session; one thread. Holds no memory before its first header block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "gateway/http2/header_block.h"
#include "gateway/http2/types.h"

struct nghttp2_hd_inflater;

namespace pinion::http2 {

// How much of a header list is copied. The rest is decoded, because the table is shared with later
// blocks, and dropped.
struct HeaderListLimits {
  uint32_t bytes_max;
  uint32_t fields_max;
};

// One header block as it arrives, in as many pieces as it comes.
struct HeaderListProgress {
  size_t bytes = 0;  // name + value + 32 of each field, dropped ones too
  size_t fields = 0;
  bool too_large = false;
};

class HpackDecoder {
 public:
  // Decodes a piece of a header block, the last one if `final`, into `block` (null: into nothing).
  // False when it is not HPACK: the connection is lost.
  [[nodiscard]] bool Decode(Bytes piece, bool final, const HeaderListLimits& limits,
                            HeaderListProgress& progress, HeaderBlock* block);

 private:
  struct Deleter {
    void operator()(nghttp2_hd_inflater* inflater) const;
  };
  std::unique_ptr<nghttp2_hd_inflater, Deleter> inflater_;
};

}  // namespace pinion::http2
