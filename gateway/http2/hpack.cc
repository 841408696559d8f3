#include "gateway/http2/hpack.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace pinion::http2 {
namespace {

constexpr absl::string_view kPath = ":path";
constexpr uint8_t kPathIndex = 4;  // static table
constexpr uint8_t kWithoutIndexing = 0x00;
constexpr uint8_t kNeverIndexed = 0x10;
constexpr uint32_t kIndexPrefixMax = 15;    // 4-bit prefix
constexpr uint32_t kLengthPrefixMax = 127;  // 7-bit prefix
// Two lengths of at most six bytes each, and the first byte.
constexpr size_t kFieldOverheadMax = 13;
constexpr size_t kTableSizeUpdateBytesMax = 12;
constexpr size_t kRunMax = 32;  // fields given to nghttp2 at once

// Values that are new in nearly every call.
bool HardlyEverRepeats(absl::string_view name) {
  switch (name.size()) {
    case 2:
      return name == "b3";
    case 4:
      return name == "date";
    case 7:
      return name == "baggage";
    case 10:
      return name == "tracestate";
    case 11:
      return name == "traceparent" || name == "x-b3-spanid";
    case 12:
      return name == "grpc-timeout" || name == "grpc-message" || name == "x-request-id" ||
             name == "x-b3-traceid";
    case 13:
      return name == "grpc-tags-bin" || name == "uber-trace-id";
    case 14:
      return name == "grpc-trace-bin" || name == "content-length";
    case 17:
      return name == "x-b3-parentspanid";
    case 21:
      return name == "x-cloud-trace-context";
    case 23:
      return name == "grpc-status-details-bin";
    default:
      return false;
  }
}

uint8_t* WriteInteger(uint8_t* out, uint8_t first_bits, uint32_t prefix_max, size_t value) {
  if (value < prefix_max) {
    *out++ = static_cast<uint8_t>(first_bits | value);
    return out;
  }
  *out++ = static_cast<uint8_t>(first_bits | prefix_max);
  for (value -= prefix_max; value >= 0x80; value >>= 7) *out++ = static_cast<uint8_t>(value | 0x80);
  *out++ = static_cast<uint8_t>(value);
  return out;
}

uint8_t* WriteString(uint8_t* out, absl::string_view text) {
  out = WriteInteger(out, 0, kLengthPrefixMax, text.size());
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

uint8_t* WriteLiteral(uint8_t* out, const HeaderField& field) {
  const uint8_t kind = field.never_index ? kNeverIndexed : kWithoutIndexing;
  if (field.name == kPath) {
    out = WriteInteger(out, kind, kIndexPrefixMax, kPathIndex);
  } else {
    *out++ = kind;
    out = WriteString(out, field.name);
  }
  return WriteString(out, field.value);
}

nghttp2_nv ToNv(const HeaderField& field) {
  nghttp2_nv nv;
  nv.name = reinterpret_cast<uint8_t*>(const_cast<char*>(field.name.data()));
  nv.namelen = field.name.size();
  nv.value = reinterpret_cast<uint8_t*>(const_cast<char*>(field.value.data()));
  nv.valuelen = field.value.size();
  nv.flags = field.never_index ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
  return nv;
}

size_t EncodedBytesMax(absl::Span<const HeaderField> fields) {
  size_t bytes = kTableSizeUpdateBytesMax;
  for (const HeaderField& field : fields)
    bytes += field.name.size() + field.value.size() + kFieldOverheadMax;
  return bytes;
}

uint8_t* EncodeIndexed(nghttp2_hd_deflater* deflater, absl::Span<const nghttp2_nv> fields,
                       uint8_t* out, uint8_t* end) {
  const ssize_t written =
      nghttp2_hd_deflate_hd(deflater, out, end - out, fields.data(), fields.size());
  CHECK(written >= 0);
  return out + written;
}

}  // namespace

void HpackEncoder::Deleter::operator()(nghttp2_hd_deflater* deflater) const {
  nghttp2_hd_deflate_del(deflater);
}

void HpackEncoder::SetTableBytes(uint32_t bytes) {
  table_bytes_ = std::min(bytes, limits::kHpackTableBytes);
  table_size_pending_ = true;
  // Told at once each time: the smallest size between two blocks has to be announced too (RFC 7541
  // section 4.2).
  if (deflater_ != nullptr)
    CHECK(nghttp2_hd_deflate_change_table_size(deflater_.get(), table_bytes_) == 0);
}

Bytes HpackEncoder::Encode(absl::Span<const HeaderField> fields, std::vector<uint8_t>& scratch) {
  if (deflater_ == nullptr) {
    nghttp2_hd_deflater* deflater = nullptr;
    CHECK(nghttp2_hd_deflate_new(&deflater, limits::kHpackTableBytes) == 0);
    deflater_.reset(deflater);
    if (table_size_pending_)
      CHECK(nghttp2_hd_deflate_change_table_size(deflater, table_bytes_) == 0);
  }
  const size_t bytes_max = EncodedBytesMax(fields);
  if (scratch.size() < bytes_max) scratch.resize(std::max<size_t>(bytes_max, limits::kSlabBytes));
  uint8_t* out = scratch.data();
  uint8_t* const end = out + scratch.size();
  if (table_size_pending_) {  // it must come before any field, so before our own literals
    out = EncodeIndexed(deflater_.get(), {}, out, end);
    table_size_pending_ = false;
  }
  // Literals of our own touch no table, so they may stand around what nghttp2 encodes: :path, which
  // has to stay among the pseudo-headers, before it, the others behind it.
  std::array<nghttp2_nv, kRunMax> run;
  size_t in_run = 0;
  bool literals_behind = false;
  for (const HeaderField& field : fields) {
    if (field.name == kPath) {
      // nghttp2 never puts it into the table; here it goes out without the cost of Huffman coding.
      out = WriteLiteral(out, field);
    } else if (HardlyEverRepeats(field.name)) {
      literals_behind = true;
    } else {
      run[in_run++] = ToNv(field);
      if (in_run == run.size()) out = EncodeIndexed(deflater_.get(), run, out, end);
      in_run %= run.size();
    }
  }
  if (in_run > 0) out = EncodeIndexed(deflater_.get(), absl::MakeSpan(run).first(in_run), out, end);
  if (!literals_behind) return Bytes(scratch.data(), out - scratch.data());
  for (const HeaderField& field : fields) {
    if (HardlyEverRepeats(field.name)) out = WriteLiteral(out, field);
  }
  return Bytes(scratch.data(), out - scratch.data());
}

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
