#include "gateway/access_log/formatter.h"

#include <algorithm>
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
bool IsPlain(unsigned char byte, Format format) {
  return IsPlain(byte) && (format == Format::kJson || byte != ' ');
}

// A word with its highest bit set in (at least) each byte that equals `value`, below borrow's
// reach: used only to ask whether any does.
constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighs = 0x8080808080808080;
constexpr uint64_t AnyZero(uint64_t word) { return (word - kOnes) & ~word & kHighs; }
constexpr uint64_t AnyOf(uint64_t word, uint8_t value) { return AnyZero(word ^ (kOnes * value)); }

bool AllPlain(uint64_t word, Format format) {
  const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  const uint64_t odd = below_space | (word & kHighs) | AnyOf(word, '"') | AnyOf(word, '\\') |
                       AnyOf(word, 0x7f) | (format == Format::kText ? AnyOf(word, ' ') : 0);
  return odd == 0;
}

// Eight bytes at a time: most values are plain from end to end.
bool AllPlain(absl::string_view text, Format format) {
  uint64_t word;
  if (text.size() < sizeof(word)) {
    return std::all_of(text.begin(), text.end(),
                       [format](char c) { return IsPlain(static_cast<unsigned char>(c), format); });
  }
  const char* const last = text.data() + text.size() - sizeof(word);
  for (const char* at = text.data(); at < last; at += sizeof(word)) {
    std::memcpy(&word, at, sizeof(word));
    if (!AllPlain(word, format)) return false;
  }
  std::memcpy(&word, last, sizeof(word));
  return AllPlain(word, format);
}

class Line {
 public:
  Line(Format format, char* at) : format_(format), begin_(at), at_(at) {}

  size_t bytes() const { return static_cast<size_t>(at_ - begin_); }

  void Raw(absl::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  void Text(absl::string_view key, absl::string_view value, size_t bytes_max) {
    if (value.empty()) return;
    Key(key);
    const bool plain = AllPlain(value.substr(0, bytes_max), format_);
    const bool quoted = format_ == Format::kJson || !plain;
    if (quoted) *at_++ = '"';
    Escaped(value, bytes_max, plain);
    if (quoted) *at_++ = '"';
  }

  // One of our own words: plain, and short.
  void Word(absl::string_view key, absl::string_view value) {
    if (value.empty()) return;
    Key(key);
    Quote();
    Raw(value.substr(0, kWordBytesMax));
    Quote();
  }

  void Number(absl::string_view key, uint64_t value) {
    Key(key);
    Digits(value);
  }

  // Milliseconds with three decimals.
  void Milliseconds(absl::string_view key, absl::Duration value) {
    if (value == kNever) return;
    Key(key);
    const int64_t signed_us = absl::ToInt64Microseconds(value);
    const uint64_t us = signed_us < 0 ? 0 : static_cast<uint64_t>(signed_us);
    Digits(us / 1000);
    *at_++ = '.';
    ThreeDigits(static_cast<unsigned>(us % 1000));
  }

  void Begin() {
    if (format_ == Format::kJson) *at_++ = '{';
  }
  void End() { Raw(format_ == Format::kJson ? "}\n" : "\n"); }

  // `second` is "2026-11-25T04:35:42".
  void Time(absl::string_view second, unsigned milliseconds) {
    Key("time");
    Quote();
    Raw(second);
    *at_++ = '.';
    ThreeDigits(milliseconds);
    *at_++ = 'Z';
    Quote();
  }

 private:
  void Key(absl::string_view key) {
    const bool json = format_ == Format::kJson;
    if (bytes() > (json ? 1 : 0)) *at_++ = json ? ',' : ' ';
    if (json) *at_++ = '"';
    Raw(key);
    Raw(json ? "\":" : "=");
  }

  void Quote() {
    if (format_ == Format::kJson) *at_++ = '"';
  }

  void Digits(uint64_t value) {
    char digits[20];
    char* first = digits + sizeof(digits);
    do {
      *--first = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    Raw(absl::string_view(first, static_cast<size_t>(digits + sizeof(digits) - first)));
  }

  void ThreeDigits(unsigned value) {
    *at_++ = static_cast<char>('0' + value / 100);
    *at_++ = static_cast<char>('0' + value / 10 % 10);
    *at_++ = static_cast<char>('0' + value % 10);
  }

  // Writes at most `bytes_max` bytes, the mark of a cut included.
  void Escaped(absl::string_view value, size_t bytes_max, bool plain) {
    if (value.size() <= bytes_max && plain) return Raw(value);
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
      Raw(format_ == Format::kJson ? "\\u00" : "\\x");
      *at_++ = kHex[byte >> 4];
      *at_++ = kHex[byte & 15];
    }
  }

  static constexpr size_t kEscapeBytes = 6;  // \u00NN

  const Format format_;
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
  Line line(format_, out);
  line.Begin();
  line.Time(absl::string_view(second_text_, kSecondBytes),
            static_cast<unsigned>(milliseconds % 1000));
  line.Text("listener", record.listener, kNameBytesMax);
  line.Text("peer", record.peer, kNameBytesMax);
  line.Text("consumer", record.consumer, kNameBytesMax);
  line.Text("service", record.service, kNameBytesMax);
  line.Text("version", record.version, kNameBytesMax);
  line.Text("method", record.method, kMethodBytesMax);
  line.Word("source", record.source);
  line.Text("asked", record.asked, kAskedBytesMax);
  line.Text("instance", record.instance, kNameBytesMax);
  line.Text("upstream", record.upstream, kNameBytesMax);
  if (record.grpc_status >= 0) {
    line.Number("grpc_status", static_cast<uint64_t>(record.grpc_status));
  }
  if (record.http_status > 0) {
    line.Number("http_status", static_cast<uint64_t>(record.http_status));
  }
  line.Word("error", record.error);
  line.Text("message", record.message, kMessageBytesMax);
  line.Word("reset", record.reset);
  line.Word("reset_by", record.reset_by);
  line.Number("request_bytes", record.request_bytes);
  line.Number("response_bytes", record.response_bytes);
  line.Milliseconds("duration_ms", record.duration);
  line.Milliseconds("wait_ms", record.upstream_wait);
  line.Milliseconds("first_byte_ms", record.first_byte);
  line.Number("attempts", record.attempts);
  line.Word("trace_id", record.trace_id);
  line.End();
  DCHECK(line.bytes() <= limits::kLogLineBytesMax);
  return line.bytes();
}

}  // namespace pinion::access_log
