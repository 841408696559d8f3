// nghttp2's reading half of HPACK, against which ours is held.
#pragma once

#include <nghttp2/nghttp2.h>

#include <string>

#include "absl/strings/string_view.h"
#include "base/check.h"
#include "tests/testing/h2_session.h"

namespace pinion::testing::h2 {

class Nghttp2Inflater {
 public:
  Nghttp2Inflater() { CHECK(nghttp2_hd_inflate_new(&inflater_) == 0); }
  ~Nghttp2Inflater() { nghttp2_hd_inflate_del(inflater_); }
  Nghttp2Inflater(const Nghttp2Inflater&) = delete;
  Nghttp2Inflater& operator=(const Nghttp2Inflater&) = delete;

  // A whole header block as Describe() shows it, or kBrokenBlock.
  std::string Decode(absl::string_view bytes) {
    http2::HeaderBlock block;
    auto* in = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
    const uint8_t* const end = in + bytes.size();
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, end - in, 1);
      if (used < 0) return kBrokenBlock;
      in += used;
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        block.Add({{reinterpret_cast<const char*>(field.name), field.namelen},
                   {reinterpret_cast<const char*>(field.value), field.valuelen},
                   (field.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0});
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return Describe(block);
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace pinion::testing::h2
