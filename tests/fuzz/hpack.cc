// HPACK: header blocks of a peer, one Piece() each, into one decoder, which has to agree with
// nghttp2's; what they mean is then carried through our own encoder and another decoder. The first
// byte is the size of the pieces in which the blocks come, the second, times 32, the table that the
// encoder may use.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/hpack_encoder.h"
#include "tests/fuzz/header_facts.h"
#include "tests/fuzz/target.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/nghttp2_inflater.h"

namespace pinion::fuzz {
namespace {

namespace h2 = testing::h2;

constexpr http2::HeaderListLimits kLimits = {8 * 1024, 40};

struct Decoded {
  bool good = true;
  bool too_large = false;
  std::string text;
  http2::HeaderBlock block;
};

Decoded Decode(http2::HpackDecoder& decoder, absl::string_view bytes, size_t piece) {
  Decoded result;
  http2::HeaderListProgress progress;
  do {
    const absl::string_view head = bytes.substr(0, piece);
    bytes.remove_prefix(head.size());
    result.good =
        decoder.Decode(h2::AsBytes(head), bytes.empty(), kLimits, progress, &result.block);
  } while (result.good && !bytes.empty());
  result.too_large = progress.too_large;
  for (const http2::HeaderField& field : result.block.fields()) {
    CheckFacts(field);
    absl::StrAppend(&result.text, field.name, "=", field.value, "\n");
  }
  CHECK(result.block.list_bytes() <= kLimits.bytes_max);
  CHECK(result.block.fields().size() <= kLimits.fields_max);
  return result;
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string request = h2::HpackBlock(h2::Request({{"k-bin", "AAEC"}}));
  const std::string indexed = h2::HpackIndexedLiteral("key", "value") + "\xbe\x82\x86";
  // RFC 7541 C.4.1: Huffman-coded; a table size update; a never-indexed literal; a long integer.
  const std::string huffman("\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
  const std::string resized = "\x3f\x01" + h2::HpackIndexedLiteral("a", "b");
  const std::string secret("\x10\x03key\x05value");
  const std::string varint("\x7f\xff\xff\xff\xff\x0f\x01x");
  const std::string head = {'\2', '\x80'};
  return {head + Piece(request) + Piece(indexed) + Piece("\xbe"), head + Piece(huffman),
          head + Piece(resized) + Piece(indexed), head + Piece(secret) + Piece(secret),
          head + Piece(varint)};
}

void Run(absl::string_view input) {
  Input bytes(input);
  const size_t piece = size_t{bytes.Byte()} + 1;
  std::vector<uint8_t> decoded;
  http2::HpackDecoder whole(decoded), cut(decoded), after(decoded);
  http2::HpackEncoder encoder;
  encoder.SetTableBytes(bytes.Byte() * 32u);
  std::vector<uint8_t> scratch;
  h2::Nghttp2Inflater peer;
  while (!bytes.empty()) {
    const absl::string_view block = bytes.Piece();
    const Decoded one = Decode(whole, block, SIZE_MAX);
    const Decoded other = Decode(cut, block, piece);
    CHECK(one.good == other.good && one.text == other.text && one.too_large == other.too_large);
    // Of integers nghttp2 takes longer forms than we do (RFC 7541 section 5.1 leaves the bound
    // open).
    if (!one.good) return;
    const std::string theirs = peer.Decode(block);
    CHECK(theirs != h2::kBrokenBlock);
    CHECK(one.too_large || theirs == h2::Describe(one.block));
    const http2::Bytes encoded = encoder.Encode(one.block.fields(), scratch);
    const Decoded again = Decode(after, h2::AsString(encoded), SIZE_MAX);
    CHECK(again.good && again.text == one.text);
    // The encoder may keep more out of tables than the peer asked for, not less.
    for (size_t i = 0; i < one.block.fields().size(); ++i) {
      CHECK(again.block.fields()[i].never_index || !one.block.fields()[i].never_index);
    }
  }
}

}  // namespace pinion::fuzz
