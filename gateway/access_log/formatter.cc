#include "gateway/access_log/formatter.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "base/check.h"
#include "gateway/limits.h"
#include "gateway/observability_limits.h"

namespace pinion::access_log {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr absl::string_view kCut = "...";
constexpr size_t kWordBytesMax = 48;  // our own words

bool IsPlain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

// In text a value that is plain stands without quotes, which a space would end.
template <Format kFormat>
bool IsPlainIn(unsigned char byte) {
  return IsPlain(byte) && (kFormat == Format::kJson || byte != ' ');
}

// A word with its highest bit set in (at least) each byte that equals `value`, below borrow's
// reach: used only to ask whether any does.
constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;
constexpr uint64_t AnyZero(uint64_t word) { return (word - kOnes) & ~word & kHighs; }
constexpr uint64_t AnyOf(uint64_t word, uint8_t value) { return AnyZero(word ^ (kOnes * value)); }

// Not zero when any of eight bytes is not plain.
template <Format kFormat>
uint64_t Odd(uint64_t word) {
  const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  return below_space | (word & kHighs) | AnyOf(word, '"') | AnyOf(word, '\\') | AnyOf(word, 0x7f) |
         (kFormat == Format::kText ? AnyOf(word, ' ') : 0);
}

// A name in the program's text, and what stands before a value of that name: known when this is
// compiled, so that it is written in a few moves.
template <size_t kBytes>
struct Name {
  constexpr Name(const char (&text)[kBytes]) { std::copy_n(text, kBytes, bytes); }  // NOLINT

  static constexpr size_t size() { return kBytes - 1; }

  char bytes[kBytes];
};

template <Format kFormat, Name kName>
constexpr auto KeyOf() {
  constexpr bool kJson = kFormat == Format::kJson;
  std::array<char, kName.size() + (kJson ? 4 : 2)> key{};
  size_t at = 0;
  key[at++] = kJson ? ',' : ' ';
  if (kJson) key[at++] = '"';
  for (size_t i = 0; i < kName.size(); ++i) key[at++] = kName.bytes[i];
  if (kJson) key[at++] = '"';
  key[at++] = kJson ? ':' : '=';
  return key;
}

template <Format kFormat>
class Line {
 public:
  explicit Line(char* at) : begin_(at), at_(at) {}

  size_t bytes() const { return static_cast<size_t>(at_ - begin_); }

  // The time comes first. `second` is "2026-11-25T04:35:42".
  void Begin(absl::string_view second, unsigned milliseconds) {
    Raw(kFormat == Format::kJson ? absl::string_view("{\"time\":\"") : "time=");
    Raw(second);
    *at_++ = '.';
    ThreeDigits(milliseconds);
    *at_++ = 'Z';
    Quote();
  }
  void End() { Raw(kFormat == Format::kJson ? absl::string_view("}\n") : "\n"); }

  template <Name kName>
  void Text(absl::string_view value, size_t bytes_max) {
    if (value.empty()) return;
    Key<kName>();
    if (value.size() <= bytes_max && Plain(value)) return;
    *at_++ = '"';
    Escaped(value, bytes_max);
    *at_++ = '"';
  }

  // One of our own words: plain, and short.
  template <Name kName>
  void Word(absl::string_view value) {
    if (value.empty()) return;
    Key<kName>();
    Quote();
    Raw(value.substr(0, kWordBytesMax));
    Quote();
  }

  template <Name kName>
  void Number(uint64_t value) {
    Key<kName>();
    Digits(value);
  }

  // Milliseconds with three decimals.
  template <Name kName>
  void Milliseconds(absl::Duration value) {
    if (value == kNever) return;
    Key<kName>();
    const int64_t signed_us = absl::ToInt64Microseconds(value);
    const uint64_t us = signed_us < 0 ? 0 : static_cast<uint64_t>(signed_us);
    Digits(us / 1000);
    *at_++ = '.';
    ThreeDigits(static_cast<unsigned>(us % 1000));
  }

 private:
  template <Name kName>
  void Key() {
    static constexpr auto kKey = KeyOf<kFormat, kName>();
    std::memcpy(at_, kKey.data(), kKey.size());
    at_ += kKey.size();
  }

  void Raw(absl::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void Quote() {
    if (kFormat == Format::kJson) *at_++ = '"';
  }

  // Writes a value that is plain from end to end, as most are; false: nothing is written. Eight
  // bytes at a time, and the last eight once more.
  bool Plain(absl::string_view value) {
    char* const out = at_ + (kFormat == Format::kJson ? 1 : 0);
    if (value.size() < sizeof(uint64_t)) {
      for (size_t i = 0; i < value.size(); ++i) {
        if (!IsPlainIn<kFormat>(static_cast<unsigned char>(value[i]))) return false;
        out[i] = value[i];
      }
    } else {
      uint64_t word, odd = 0;
      const auto copy = [&](size_t at) {
        std::memcpy(&word, value.data() + at, sizeof(word));
        std::memcpy(out + at, &word, sizeof(word));
        odd |= Odd<kFormat>(word);
      };
      const size_t last = value.size() - sizeof(word);
      for (size_t at = 0; at < last; at += sizeof(word)) copy(at);
      copy(last);
      if (odd != 0) return false;
    }
    Quote();
    at_ = out + value.size();
    Quote();
    return true;
  }

  void Digits(uint64_t value) {
    char digits[20];
    char* first = digits + sizeof(digits);
    do {
      *--first = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    for (; first != digits + sizeof(digits); ++first) *at_++ = *first;
  }

  void ThreeDigits(unsigned value) {
    *at_++ = static_cast<char>('0' + value / 100);
    *at_++ = static_cast<char>('0' + value / 10 % 10);
    *at_++ = static_cast<char>('0' + value % 10);
  }

  // Writes at most `bytes_max` bytes, the mark of a cut included.
  void Escaped(absl::string_view value, size_t bytes_max) {
    const char* const end = at_ + bytes_max;
    for (const char c : value) {
      // Room for this byte in its longest form, and for the mark if another follows.
      if (end - at_ < static_cast<ptrdiff_t>(kEscapeBytes + kCut.size())) return Raw(kCut);
      Byte(static_cast<unsigned char>(c));
    }
  }

  void Byte(unsigned char byte) {
    if (IsPlain(byte)) {
      *at_++ = static_cast<char>(byte);
    } else if (byte == '"' || byte == '\\') {
      *at_++ = '\\';
      *at_++ = static_cast<char>(byte);
    } else {
      Raw(kFormat == Format::kJson ? "\\u00" : "\\x");
      *at_++ = kHex[byte >> 4];
      *at_++ = kHex[byte & 15];
    }
  }

  static constexpr size_t kEscapeBytes = 6;  // \u00NN

  char* const begin_;
  char* at_;
};

// The bounds of the values together with all keys stay below a line's.
constexpr size_t kNameBytesMax = 160;     // services, consumers, listeners, uids, addresses
constexpr size_t kMethodBytesMax = 1100;  // limits::kMaxMethodPathBytes and a few escapes
constexpr size_t kAskedBytesMax = 128;
constexpr size_t kMessageBytesMax = 300;
static_assert(7 * kNameBytesMax + kMethodBytesMax + kAskedBytesMax + kMessageBytesMax +
                  5 * kWordBytesMax + 900 <
              limits::kLogLineBytesMax);

template <Format kFormat>
size_t WriteLine(const Record& record, absl::string_view second, unsigned milliseconds, char* out) {
  Line<kFormat> line(out);
  line.Begin(second, milliseconds);
  line.template Text<"listener">(record.listener, kNameBytesMax);
  line.template Text<"peer">(record.peer, kNameBytesMax);
  line.template Text<"consumer">(record.consumer, kNameBytesMax);
  line.template Text<"service">(record.service, kNameBytesMax);
  line.template Text<"version">(record.version, kNameBytesMax);
  line.template Text<"method">(record.method, kMethodBytesMax);
  line.template Word<"source">(record.source);
  line.template Text<"asked">(record.asked, kAskedBytesMax);
  line.template Text<"instance">(record.instance, kNameBytesMax);
  line.template Text<"upstream">(record.upstream, kNameBytesMax);
  if (record.grpc_status >= 0) {
    line.template Number<"grpc_status">(static_cast<uint64_t>(record.grpc_status));
  }
  if (record.http_status > 0) {
    line.template Number<"http_status">(static_cast<uint64_t>(record.http_status));
  }
  line.template Word<"error">(record.error);
  line.template Text<"message">(record.message, kMessageBytesMax);
  line.template Word<"reset">(record.reset);
  line.template Word<"reset_by">(record.reset_by);
  line.template Number<"request_bytes">(record.request_bytes);
  line.template Number<"response_bytes">(record.response_bytes);
  line.template Milliseconds<"duration_ms">(record.duration);
  line.template Milliseconds<"wait_ms">(record.upstream_wait);
  line.template Milliseconds<"first_byte_ms">(record.first_byte);
  line.template Number<"attempts">(record.attempts);
  line.template Word<"trace_id">(record.trace_id);
  line.End();
  DCHECK(line.bytes() <= limits::kLogLineBytesMax);
  return line.bytes();
}

}  // namespace

void Formatter::CacheSecond(int64_t unix_seconds) {
  const absl::CivilSecond civil =
      absl::ToCivilSecond(absl::FromUnixSeconds(unix_seconds), absl::UTCTimeZone());
  const auto two = [](char* at, int value) {
    at[0] = static_cast<char>('0' + value / 10 % 10);
    at[1] = static_cast<char>('0' + value % 10);
  };
  std::memcpy(second_text_, "0000-00-00T00:00:00", kSecondBytes);
  const int year = static_cast<int>(std::clamp<int64_t>(civil.year(), 0, 9999));
  two(second_text_, year / 100);
  two(second_text_ + 2, year);
  two(second_text_ + 5, civil.month());
  two(second_text_ + 8, civil.day());
  two(second_text_ + 11, civil.hour());
  two(second_text_ + 14, civil.minute());
  two(second_text_ + 17, civil.second());
  cached_second_ = unix_seconds;
}

size_t Formatter::Write(const Record& record, char* out) {
  const int64_t milliseconds = std::max<int64_t>(0, absl::ToUnixMillis(record.start));
  if (milliseconds / 1000 != cached_second_) CacheSecond(milliseconds / 1000);
  const absl::string_view second(second_text_, kSecondBytes);
  const auto rest = static_cast<unsigned>(milliseconds % 1000);
  return format_ == Format::kJson ? WriteLine<Format::kJson>(record, second, rest, out)
                                  : WriteLine<Format::kText>(record, second, rest, out);
}

}  // namespace pinion::access_log
