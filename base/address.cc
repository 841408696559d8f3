#include "base/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pinion {
namespace {

constexpr uint32_t kMaxPort = 65535;
// One byte is the NUL's.
constexpr size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr char kDigits[] = "0123456789";

absl::Status Quoted(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\"", why));
}

// A name of digits and dots only is an IP address with a slip in it, whatever DNS permits.
bool IsHostName(absl::string_view text) {
  return IsDnsName(text) && text.find_first_not_of("0123456789.") != text.npos;
}

bool IsNumber(absl::string_view text) {
  return !text.empty() && text.find_first_not_of(kDigits) == text.npos;
}

// What can be said of a host that is neither an IP address nor acceptable otherwise.
absl::Status BadHost(absl::string_view host, AddressUse use) {
  if (host.empty()) {
    return absl::InvalidArgumentError(
        use == AddressUse::kListen ? "the host is missing: give an IP address"
                                   : "the host is missing: give an IP address or a DNS name");
  }
  if (host.front() == '[' && host.back() == ']') {
    return Quoted(host, ": an IPv6 address stands without brackets here");
  }
  if (absl::StartsWith(host, "unix:") || host.front() == '/') {
    return Quoted(host, ": a Unix socket is written `pipe: {path: …}`");
  }
  if (const size_t zone = host.find('%'); zone != host.npos && ParseIp(host.substr(0, zone))) {
    return Quoted(host, ": an IPv6 address with a zone is not supported; give one that needs none");
  }
  if (const size_t colon = host.rfind(':');
      colon != host.npos && colon > 0 && IsNumber(host.substr(colon + 1))) {
    return Quoted(host, ": the port belongs into port_value");
  }
  if (use == AddressUse::kListen) {
    return Quoted(host, " is not an IP address, which listening needs");
  }
  const bool ascii = std::all_of(host.begin(), host.end(), absl::ascii_isascii);
  return Quoted(host, ascii ? " is neither an IP address nor a DNS name"
                            : " is neither an IP address nor a DNS name; an international name is "
                              "written in its xn-- form");
}

absl::Status CheckHost(absl::string_view host, AddressUse use) {
  if (ParseIp(host).has_value()) return absl::OkStatus();
  if (IsHostName(host) && use != AddressUse::kListen) return absl::OkStatus();
  return BadHost(host, use);
}

absl::Status CheckPort(uint32_t port, AddressUse use) {
  if (port > kMaxPort) {
    return absl::InvalidArgumentError(absl::StrCat("port ", port, " is above ", kMaxPort));
  }
  if (port == 0 && (use == AddressUse::kConnect || use == AddressUse::kRegister)) {
    return absl::InvalidArgumentError("the port is missing or 0: give one from 1 to 65535");
  }
  return absl::OkStatus();
}

absl::Status CheckPath(absl::string_view path, AddressUse use) {
  if (path.empty()) return absl::InvalidArgumentError("the path of the Unix socket is missing");
  if (path.find('\0') != path.npos) {
    return absl::InvalidArgumentError("the path of a Unix socket holds no NUL byte");
  }
  if (path.size() > kMaxPathBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the path of a Unix socket has at most ",
                                                   kMaxPathBytes, " bytes; \"", path, "\" has ",
                                                   path.size()));
  }
  if (use == AddressUse::kRegister && path.front() != '/') {
    return Quoted(path, ": the path of a Unix socket is absolute here, as other processes use it");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAddress(const AddressParts& parts, AddressUse use, AddressPart* wrong) {
  const auto part = [wrong](AddressPart value, absl::Status status) {
    if (wrong != nullptr && !status.ok()) *wrong = value;
    return status;
  };
  if (parts.path.has_value()) return part(AddressPart::kPath, CheckPath(*parts.path, use));
  if (absl::Status host = part(AddressPart::kHost, CheckHost(parts.host, use)); !host.ok()) {
    return host;
  }
  return part(AddressPart::kPort, CheckPort(parts.port, use));
}

absl::StatusOr<AddressParts> ParseAddress(absl::string_view text, AddressUse use) {
  const auto bad = [text](absl::string_view why) {
    return Quoted(text, absl::StrCat(" is no address: ", why));
  };
  AddressParts parts;
  if (absl::string_view path = text; absl::ConsumePrefix(&path, "unix:")) {
    parts.path = std::string(path);
  } else if (absl::StartsWith(text, "/")) {
    return bad(absl::StrCat("write unix:", text));
  } else {
    const size_t colon = text.rfind(':');
    const absl::string_view port = colon == text.npos ? "" : text.substr(colon + 1);
    // A leading zero could be meant as octal; no port needs one.
    if (!IsNumber(port) || (port.size() > 1 && port.front() == '0')) {
      return bad("write HOST:PORT, [IPV6]:PORT or unix:PATH");
    }
    if (!absl::SimpleAtoi(port, &parts.port))
      return bad(absl::StrCat("port ", port, " is above ", kMaxPort));
    absl::string_view host = text.substr(0, colon);
    if (absl::ConsumePrefix(&host, "[")) {
      if (!absl::ConsumeSuffix(&host, "]")) return bad("write [IPV6]:PORT");
      if (!absl::StrContains(host, ':')) return bad("only an IPv6 address stands in brackets");
    } else if (absl::StrContains(host, ':')) {
      return bad("write [IPV6]:PORT");
    }
    parts.host = std::string(host);
  }
  if (const absl::Status status = CheckAddress(parts, use); !status.ok()) {
    return bad(status.message());
  }
  return parts;
}

std::string AddressText(absl::string_view host, uint32_t port) {
  const bool v6 = absl::StrContains(host, ':');
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]:" : ":", port);
}

std::string AddressText(const AddressParts& parts) {
  if (parts.path.has_value()) return absl::StrCat("unix:", *parts.path);
  return AddressText(parts.host, parts.port);
}

std::string GrpcTarget(absl::string_view address) {
  absl::string_view path = address;
  if (!absl::ConsumePrefix(&path, "unix:")) return std::string(address);
  std::string target = "unix:";
  for (const char c : path) {
    const bool plain =
        absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-._~/", c);
    if (plain) {
      target.push_back(c);
    } else {
      absl::StrAppend(&target, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return target;
}

bool IsLocalAddress(const AddressParts& parts) {
  if (parts.path.has_value()) return true;
  const std::optional<IpAddress> ip = ParseIp(parts.host);
  if (!ip.has_value()) return absl::EqualsIgnoreCase(parts.host, "localhost");
  return ip->size == 4 ? ip->bytes[0] == 127 : ip == ParseIp("::1");
}

bool IsDnsName(absl::string_view text) {
  absl::ConsumeSuffix(&text, ".");
  if (text.empty() || text.size() > 253) return false;
  for (const absl::string_view label : absl::StrSplit(text, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
    }
  }
  return true;
}

absl::Status CheckTlsName(absl::string_view name) {
  if (ParseIp(name).has_value()) return absl::OkStatus();
  if (IsHostName(name) && name.back() != '.') return absl::OkStatus();
  return Quoted(absl::Utf8SafeCHexEscape(name),
                " is no name that a certificate can hold: give a DNS name or an IP address");
}

std::optional<IpAddress> ParseIp(absl::string_view text) {
  // inet_pton() stops at a NUL.
  if (text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress ip;
  if (inet_pton(AF_INET, terminated.c_str(), ip.bytes.data()) == 1) {
    ip.size = 4;
    return ip;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), ip.bytes.data()) == 1) {
    ip.size = 16;
    return ip;
  }
  return std::nullopt;
}

}  // namespace pinion
