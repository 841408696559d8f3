#include "gateway/http2/header_validator.h"

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

constexpr CharSet MakeVisibleChars() {
  CharSet set{};
  for (int c = 0x21; c < 0x7f; ++c) set[c] = true;
  return set;
}

constexpr CharSet kNameChars = MakeNameChars();
constexpr CharSet kValueChars = MakeValueChars();
constexpr CharSet kMethodChars = MakeMethodChars();
constexpr CharSet kSchemeChars = MakeSchemeChars();
constexpr CharSet kVisibleChars = MakeVisibleChars();

bool AllIn(const CharSet& set, absl::string_view text) {
  bool all = true;
  for (char c : text) all &= set[static_cast<uint8_t>(c)];
  return all;
}

// As AllIn(kValueChars), eight bytes at a time: most values are plain text of some length. True for
// certain, or false for "look closer".
bool PlainText(absl::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  uint64_t suspicious = 0;
  while (text.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    const uint64_t below_space = word - kOnes * 0x20;  // borrows into the high bit
    const uint64_t from_delete = word + kOnes;         // carries into it from 0x7f on
    suspicious |= (below_space | from_delete | word) & kHighs;
    text.remove_prefix(sizeof word);
  }
  return suspicious == 0 && AllIn(kValueChars, text);
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

absl::string_view ValueFault(absl::string_view value) {
  if (!PlainText(value) && !AllIn(kValueChars, value)) return "control character in a header value";
  if (!value.empty() && (IsBlank(value.front()) || IsBlank(value.back())))
    return "whitespace around a header value";
  return {};
}

// Fields that belong to one connection (RFC 9113 section 8.2.2).
absl::string_view ConnectionFieldFault(const HeaderField& field) {
  const absl::string_view name = field.name;
  switch (name.size()) {
    case 2:
      if (name == "te" && !absl::EqualsIgnoreCase(field.value, "trailers"))
        return "te other than trailers";
      break;
    case 7:
      if (name == "upgrade") return "connection-specific field upgrade";
      break;
    case 10:
      if (name == "connection") return "connection-specific field connection";
      if (name == "keep-alive") return "connection-specific field keep-alive";
      break;
    case 16:
      if (name == "proxy-connection") return "connection-specific field proxy-connection";
      break;
    case 17:
      if (name == "transfer-encoding") return "connection-specific field transfer-encoding";
      break;
  }
  return {};
}

absl::string_view FaultUnlessKnown(const HeaderField& field) {
  return field.well_formed ? absl::string_view() : RegularFieldFault(field);
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

  const HeaderField** Slot(absl::string_view name) {
    if (name == ":method") return &method;
    if (name == ":scheme") return &scheme;
    if (name == ":path") return &path;
    if (name == ":authority") return &authority;
    return nullptr;
  }
};

// The pseudo-headers stand in front: takes them off `fields`.
absl::string_view TakeRequestPseudo(absl::Span<const HeaderField>& fields, RequestPseudo& pseudo) {
  for (; !fields.empty() && absl::StartsWith(fields.front().name, ":"); fields.remove_prefix(1)) {
    const HeaderField** slot = pseudo.Slot(fields.front().name);
    if (slot == nullptr) return "unknown pseudo-header in a request";
    if (*slot != nullptr) return "pseudo-header given twice";
    *slot = &fields.front();
  }
  return {};
}

absl::string_view RequestPseudoFault(const RequestPseudo& pseudo) {
  if (pseudo.method == nullptr) return "request without :method";
  if (pseudo.scheme == nullptr) return "request without :scheme";
  if (pseudo.path == nullptr) return "request without :path";
  const absl::string_view method = pseudo.method->value;
  if (method.empty() || !AllIn(kMethodChars, method)) return "invalid :method";
  if (method == "CONNECT") return "CONNECT is not served";
  if (pseudo.scheme->value.empty() || !AllIn(kSchemeChars, pseudo.scheme->value))
    return "invalid :scheme";
  const absl::string_view path = pseudo.path->value;
  if (path.empty()) return "empty :path";
  if (!AllIn(kVisibleChars, path)) return "invalid character in :path";
  if (path.front() != '/' && !(path == "*" && method == "OPTIONS"))
    return ":path does not begin with /";
  if (pseudo.authority != nullptr) {
    const absl::string_view authority = pseudo.authority->value;
    if (!AllIn(kVisibleChars, authority)) return "invalid character in :authority";
    if (absl::StrContains(authority, '@')) return "user information in :authority";
  }
  return {};
}

}  // namespace

absl::string_view RegularFieldFault(const HeaderField& field) {
  if (field.name.empty()) return "empty header name";
  if (!AllIn(kNameChars, field.name)) return "invalid character in a header name";
  absl::string_view fault = ValueFault(field.value);
  return !fault.empty() ? fault : ConnectionFieldFault(field);
}

absl::string_view RequestFault(absl::Span<const HeaderField> fields, MessageFacts& facts) {
  RequestPseudo pseudo;
  absl::string_view fault = TakeRequestPseudo(fields, pseudo);
  if (fault.empty()) fault = RequestPseudoFault(pseudo);
  if (!fault.empty()) return fault;
  const HeaderField* host = nullptr;
  for (const HeaderField& field : fields) {
    fault = FaultUnlessKnown(field);
    if (!fault.empty()) return fault;
    if (field.name == "content-length") {
      fault = ContentLengthFault(field.value, facts);
      if (!fault.empty()) return fault;
    } else if (field.name == "host") {
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
  if (fields.empty() || fields.front().name != ":status")
    return "response without :status in front";
  const absl::string_view status = fields.front().value;
  if (status.size() != 3) return "invalid :status";
  for (char c : status) {
    if (c < '0' || c > '9') return "invalid :status";
    facts.status = facts.status * 10 + (c - '0');
  }
  if (facts.status < 100) return "invalid :status";
  if (facts.status == 101) return ":status 101 does not exist in HTTP/2";
  for (const HeaderField& field : fields.subspan(1)) {
    absl::string_view fault = FaultUnlessKnown(field);
    if (fault.empty() && field.name == "content-length")
      fault = ContentLengthFault(field.value, facts);
    if (!fault.empty()) return fault;
  }
  return {};
}

absl::string_view TrailersFault(absl::Span<const HeaderField> fields) {
  for (const HeaderField& field : fields) {
    absl::string_view fault = FaultUnlessKnown(field);
    if (!fault.empty()) return fault;
  }
  return {};
}

}  // namespace pinion::http2
