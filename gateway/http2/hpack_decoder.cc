#include "gateway/http2/hpack_decoder.h"

#include <nghttp2/nghttp2.h>

#include "base/check.h"

namespace pinion::http2 {

void HpackDecoder::Deleter::operator()(nghttp2_hd_inflater* inflater) const {
  nghttp2_hd_inflate_del(inflater);
}

bool HpackDecoder::Decode(Bytes piece, bool final, const HeaderListLimits& limits,
                          HeaderListProgress& progress, HeaderBlock* block) {
  if (inflater_ == nullptr) {
    nghttp2_hd_inflater* inflater = nullptr;
    CHECK(nghttp2_hd_inflate_new(&inflater) == 0);
    inflater_.reset(inflater);
  }
  while (true) {
    nghttp2_nv nv;
    int inflate_flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &nv, &inflate_flags, piece.data(),
                                                piece.size(), final ? 1 : 0);
    if (used < 0) return false;
    piece.remove_prefix(used);
    if ((inflate_flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      progress.bytes += nv.namelen + nv.valuelen + 32;
      progress.fields += 1;
      progress.too_large |=
          progress.bytes > limits.bytes_max || progress.fields > limits.fields_max;
      if (block != nullptr && !progress.too_large) {
        block->Add({reinterpret_cast<const char*>(nv.name), nv.namelen},
                   {reinterpret_cast<const char*>(nv.value), nv.valuelen},
                   (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
      }
    }
    if ((inflate_flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      return nghttp2_hd_inflate_end_headers(inflater_.get()) == 0;
    }
    if ((inflate_flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && piece.empty()) return !final;
  }
}

}  // namespace pinion::http2
