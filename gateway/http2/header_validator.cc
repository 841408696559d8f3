#include "gateway/http2/header_validator.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "absl/strings/match.h"

namespace pinion::http2 {
namespace {

using CharSet = std::array<bool, 256>;

constexpr bool IsLowerOrDigit(int c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// RFC 9110's tokens without upper case.
constexpr CharSet MakeNameChars() {
  CharSet set{};
  for (int c = 0; c < 256; ++c) set[c] = IsLowerOrDigit(c);
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    set[static_cast<uint8_t>(c)] = true;
  return set;
}

// No control characters but tab: CR, LF and NUL smuggle, the others only ever confuse logs.
constexpr CharSet MakeValueChars() {
  CharSet set{};
  for (int c = 0; c < 256; ++c) set[c] = c == '\t' || (c >= 0x20 && c != 0x7f);
  return set;
}

constexpr CharSet MakeMethodChars() {
  CharSet set = MakeNameChars();
  for (int c = 'A'; c <= 'Z'; ++c) set[c] = true;
  return set;
}

// Of a scheme, and of what may stand in a host with its port; both only compared and forwarded
// here.
constexpr CharSet MakeSchemeChars() {
  CharSet set{};
  for (int c = 0; c < 256; ++c)
    set[c] = IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '.';
  return set;
}

constexpr CharSet kNameChars = MakeNameChars();
constexpr CharSet kValueChars = MakeValueChars();
constexpr CharSet kMethodChars = MakeMethodChars();
constexpr CharSet kSchemeChars = MakeSchemeChars();

bool AllIn(const CharSet& set, absl::string_view text) {
  bool all = true;
  for (char c : text) all &= set[static_cast<uint8_t>(c)];
  return all;
}

// Whether all bytes are from kLowest to 0x7e, eight at a time: most texts are.
template <uint8_t kLowest>
bool AllFrom(absl::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  uint64_t others = 0;
  for (; text.size() >= sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    const uint64_t below = word - kOnes * kLowest;  // borrows into the high bit
    const uint64_t above = word + kOnes;            // carries into it from 0x7f on
    others |= (below | above | word) & kHighs;
  }
  bool all = others == 0;
  for (const char c : text) all &= c >= kLowest && c < 0x7f;
  return all;
}

bool AllVisible(absl::string_view text) { return AllFrom<0x21>(text); }

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

absl::string_view ValueFault(absl::string_view value) {
  if (!AllFrom<' '>(value) && !AllIn(kValueChars, value))
    return "control character in a header value";
  if (!value.empty() && (IsBlank(value.front()) || IsBlank(value.back())))
    return "whitespace around a header value";
  return {};
}

absl::string_view PathFault(absl::string_view path) {
  if (path.empty()) return "empty :path";
  return AllVisible(path) ? absl::string_view() : "invalid character in :path";
}

absl::string_view AuthorityFault(absl::string_view authority) {
  if (!AllVisible(authority)) return "invalid character in :authority";
  if (absl::StrContains(authority, '@')) return "user information in :authority";
  return {};
}

absl::string_view StatusFault(absl::string_view status) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (status.size() != 3 || !std::all_of(status.begin(), status.end(), digit) || status[0] == '0')
    return "invalid :status";
  return status == "101" ? ":status 101 does not exist in HTTP/2" : absl::string_view();
}

absl::string_view FaultUnlessKnown(const HeaderField& field) {
  return field.well_formed ? absl::string_view() : FieldFault(field);
}

absl::string_view RegularFieldFault(const HeaderField& field) {
  return IsPseudo(field.Name()) ? "misplaced pseudo-header" : FaultUnlessKnown(field);
}

absl::string_view ContentLengthFault(absl::string_view value, MessageFacts& facts) {
  constexpr size_t kDigitsMax = 18;  // fits int64_t
  if (facts.content_length != MessageFacts::kNoContentLength) return "content-length given twice";
  if (value.empty() || value.size() > kDigitsMax) return "invalid content-length";
  int64_t length = 0;
  for (char c : value) {
    if (c < '0' || c > '9') return "invalid content-length";
    length = length * 10 + (c - '0');
  }
  facts.content_length = length;
  return {};
}

struct RequestPseudo {
  const HeaderField* method = nullptr;
  const HeaderField* scheme = nullptr;
  const HeaderField* path = nullptr;
  const HeaderField* authority = nullptr;

  const HeaderField** Slot(HeaderName name) {
    switch (name) {
      case HeaderName::kMethod:
        return &method;
      case HeaderName::kScheme:
        return &scheme;
      case HeaderName::kPath:
        return &path;
      case HeaderName::kAuthority:
        return &authority;
      default:
        return nullptr;
    }
  }
};

// The pseudo-headers stand in front: takes them off `fields`.
absl::string_view TakeRequestPseudo(absl::Span<const HeaderField>& fields, RequestPseudo& pseudo) {
  for (; !fields.empty() && absl::StartsWith(fields.front().name, ":"); fields.remove_prefix(1)) {
    const HeaderField** slot = pseudo.Slot(fields.front().Name());
    if (slot == nullptr) return "unknown pseudo-header in a request";
    if (*slot != nullptr) return "pseudo-header given twice";
    *slot = &fields.front();
    const absl::string_view fault = FaultUnlessKnown(fields.front());
    if (!fault.empty()) return fault;
  }
  if (pseudo.method == nullptr) return "request without :method";
  if (pseudo.scheme == nullptr) return "request without :scheme";
  if (pseudo.path == nullptr) return "request without :path";
  return {};
}

// What the pseudo-headers are together.
absl::string_view RequestPseudoFault(const RequestPseudo& pseudo) {
  const absl::string_view method = pseudo.method->value;
  const absl::string_view path = pseudo.path->value;
  if (method == "CONNECT") return "CONNECT is not served";
  if (path.front() != '/' && !(path == "*" && method == "OPTIONS"))
    return ":path does not begin with /";
  return {};
}

}  // namespace

absl::string_view FieldFault(const HeaderField& field) {
  const absl::string_view value = field.value;
  switch (field.Name()) {
    case HeaderName::kMethod:
      return value.empty() || !AllIn(kMethodChars, value) ? "invalid :method" : absl::string_view();
    case HeaderName::kScheme:
      return value.empty() || !AllIn(kSchemeChars, value) ? "invalid :scheme" : absl::string_view();
    case HeaderName::kPath:
      return PathFault(value);
    case HeaderName::kAuthority:
      return AuthorityFault(value);
    case HeaderName::kStatus:
      return StatusFault(value);
    // Fields that belong to one connection (RFC 9113 section 8.2.2).
    case HeaderName::kConnection:
      return "connection-specific field connection";
    case HeaderName::kKeepAlive:
      return "connection-specific field keep-alive";
    case HeaderName::kProxyConnection:
      return "connection-specific field proxy-connection";
    case HeaderName::kTransferEncoding:
      return "connection-specific field transfer-encoding";
    case HeaderName::kUpgrade:
      return "connection-specific field upgrade";
    case HeaderName::kTe:
      if (!absl::EqualsIgnoreCase(value, "trailers")) return "te other than trailers";
      break;
    case HeaderName::kOther:
      if (field.name.empty()) return "empty header name";
      if (!AllIn(kNameChars, field.name)) return "invalid character in a header name";
      break;
    default:
      break;
  }
  return ValueFault(value);
}

absl::string_view RequestFault(absl::Span<const HeaderField> fields, MessageFacts& facts) {
  RequestPseudo pseudo;
  absl::string_view fault = TakeRequestPseudo(fields, pseudo);
  if (fault.empty()) fault = RequestPseudoFault(pseudo);
  if (!fault.empty()) return fault;
  const HeaderField* host = nullptr;
  for (const HeaderField& field : fields) {
    fault = RegularFieldFault(field);
    if (!fault.empty()) return fault;
    if (field.Name() == HeaderName::kContentLength) {
      fault = ContentLengthFault(field.value, facts);
      if (!fault.empty()) return fault;
    } else if (field.Name() == HeaderName::kHost) {
      if (host != nullptr) return "host given twice";
      host = &field;
    }
  }
  if (host != nullptr && pseudo.authority != nullptr &&
      !absl::EqualsIgnoreCase(host->value, pseudo.authority->value)) {
    return "host differs from :authority";
  }
  return {};
}

absl::string_view ResponseFault(absl::Span<const HeaderField> fields, MessageFacts& facts) {
  if (fields.empty() || fields.front().Name() != HeaderName::kStatus)
    return "response without :status in front";
  absl::string_view fault = FaultUnlessKnown(fields.front());
  if (!fault.empty()) return fault;
  for (const char digit : fields.front().value) facts.status = facts.status * 10 + (digit - '0');
  for (const HeaderField& field : fields.subspan(1)) {
    fault = RegularFieldFault(field);
    if (fault.empty() && field.Name() == HeaderName::kContentLength)
      fault = ContentLengthFault(field.value, facts);
    if (!fault.empty()) return fault;
  }
  return {};
}

absl::string_view TrailersFault(absl::Span<const HeaderField> fields) {
  for (const HeaderField& field : fields) {
    const absl::string_view fault = RegularFieldFault(field);
    if (!fault.empty()) return fault;
  }
  return {};
}

}  // namespace pinion::http2
