// The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), its reading half: nothing here
// is sent Huffman-coded. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>

#include "gateway/http2/types.h"

namespace pinion::http2 {

// The shortest code has five bits.
constexpr size_t HuffmanDecodedBytesMax(size_t coded_bytes) { return coded_bytes * 8 / 5; }

// Writes the text to `out`, which has room for HuffmanDecodedBytesMax(coded.size()), and returns
// its size; nothing when the code is broken: EOS within it, or padding that is longer than seven
// bits or not of ones.
std::optional<size_t> HuffmanDecode(Bytes coded, char* out);

}  // namespace pinion::http2
