#include "gateway/http2/hpack_huffman.h"

#include <array>
#include <cstdint>

namespace pinion::http2 {
namespace {

constexpr int kSymbols = 257;
constexpr int kEos = 256;
constexpr int kBitsMax = 30;

// Bits of each symbol's code, EOS last. The code is canonical: in the order of length, then of
// symbol, each code is the one after the code before it.
constexpr std::array<uint8_t, kSymbols> kCodeBits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  //
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   //
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  //
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   //
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   //
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   //
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,  //
    30};

// Codes of at most eight bits, which is all that ordinary headers are made of, by their first
// eight bits; bits == 0: the code is longer.
constexpr int kShortBits = 8;
struct Short {
  uint8_t symbol = 0;
  uint8_t bits = 0;
};

// The codes of one length, as the first bits of a 32-bit word: those below `end` that no shorter
// length has.
struct Length {
  uint32_t begin = 0;
  uint64_t end = 0;
  uint16_t first = 0;  // in Code::symbols
};

struct Code {
  std::array<Short, 1 << kShortBits> shorts{};
  std::array<Length, kBitsMax + 1> lengths{};
  std::array<uint16_t, kSymbols> symbols{};  // in the order of their codes
};

constexpr Code MakeCode() {
  Code code;
  uint64_t next = 0;
  uint16_t ordered = 0;
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    const uint64_t step = uint64_t{1} << (32 - bits);
    code.lengths[bits].begin = static_cast<uint32_t>(next);
    code.lengths[bits].first = ordered;
    for (int symbol = 0; symbol < kSymbols; ++symbol) {
      if (kCodeBits[symbol] != bits) continue;
      code.symbols[ordered++] = static_cast<uint16_t>(symbol);
      for (uint64_t at = next; bits <= kShortBits && at < next + step; at += uint64_t{1} << 24) {
        code.shorts[at >> 24] = {static_cast<uint8_t>(symbol), static_cast<uint8_t>(bits)};
      }
      next += step;
    }
    code.lengths[bits].end = next;
  }
  return code;
}

constexpr Code kCode = MakeCode();
static_assert(kCode.lengths[kBitsMax].end == uint64_t{1} << 32, "the code leaves nothing out");

// Of the code that `window` begins with, which has more than kShortBits.
int LongCodeBits(uint32_t window) {
  int bits = kShortBits + 1;
  while (window >= kCode.lengths[bits].end) ++bits;
  return bits;
}

int LongSymbol(uint32_t window, int bits) {
  const Length& length = kCode.lengths[bits];
  return kCode.symbols[length.first + ((window - length.begin) >> (32 - bits))];
}

// What is left when no whole code is: the beginning of EOS, shorter than a byte.
bool IsPadding(uint64_t window, int bits) {
  return bits < 8 && (bits == 0 || window >> (64 - bits) == (uint64_t{1} << bits) - 1);
}

}  // namespace

std::optional<size_t> HuffmanDecode(Bytes coded, char* out) {
  char* const begin = out;
  uint64_t window = 0;  // the next bits, from the highest on
  int available = 0;    // how many of them there are
  while (true) {
    while (available <= 56 && !coded.empty()) {
      window |= uint64_t{coded.front()} << (56 - available);
      available += 8;
      coded.remove_prefix(1);
    }
    const Short code = kCode.shorts[window >> 56];
    int bits = code.bits;
    char symbol = static_cast<char>(code.symbol);
    if (bits == 0) {
      const auto word = static_cast<uint32_t>(window >> 32);
      bits = LongCodeBits(word);
      const int long_symbol = LongSymbol(word, bits);
      if (long_symbol == kEos && bits <= available) return std::nullopt;
      symbol = static_cast<char>(long_symbol);
    }
    if (bits > available) break;
    *out++ = symbol;
    window <<= bits;
    available -= bits;
  }
  if (!IsPadding(window, available)) return std::nullopt;
  return out - begin;
}

}  // namespace pinion::http2
