#include "dial/credentials.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/read_file.h"
#include "base/status_macros.h"

namespace pinion::dial {
namespace {

// A bundle of all CAs of a system is 0.25 MiB; a token is far smaller.
constexpr size_t kBytesMax = 4 * 1024 * 1024;
constexpr size_t kTokenBytesMax = 64 * 1024;

absl::StatusOr<std::string> ReadText(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, kBytesMax);
  if (text.ok()) return text;
  return absl::InvalidArgumentError(absl::StrCat(path, " ", text.status().message()));
}

absl::Status CheckPem(const std::string& path, absl::string_view holds, absl::string_view mark) {
  if (path.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  if (absl::StrContains(text, mark)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, ": holds no ", holds, " as PEM"));
}

}  // namespace

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  std::string token(absl::StripAsciiWhitespace(text));
  if (!token.empty() && token.size() <= kTokenBytesMax &&
      std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) {
    return token;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": holds no token: one word, as `pinion token create` prints it"));
}

absl::Status CheckCredentials(const std::string& address, const Credentials& credentials) {
  if (credentials.certificate_chain.empty() != credentials.private_key.empty()) {
    return absl::InvalidArgumentError(
        "a client certificate and its private key go together; one is missing");
  }
  RETURN_IF_ERROR(CheckPem(credentials.trusted_ca, "certificate", "BEGIN CERTIFICATE"));
  RETURN_IF_ERROR(CheckPem(credentials.certificate_chain, "certificate", "BEGIN CERTIFICATE"));
  RETURN_IF_ERROR(CheckPem(credentials.private_key, "private key", "PRIVATE KEY"));
  if (!credentials.token_file.empty()) {
    RETURN_IF_ERROR(ReadTokenFile(credentials.token_file).status());
  }
  if (credentials.tls || (credentials.token.empty() && credentials.token_file.empty())) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const AddressParts parts, ParseAddress(address, AddressUse::kEither));
  if (IsLocalAddress(parts)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the token would go to ", address, " unencrypted, for others to read: use TLS (https://",
      address, ", or the registry's CA)"));
}

}  // namespace pinion::dial
