#include "registry/access/subject.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"
#include "registry/version/names.h"

namespace pinion::access {
namespace {

constexpr char kSpiffe[] = "spiffe://";
constexpr char kDns[] = "dns:";
constexpr char kJwt[] = "jwt:";
constexpr char kGroup[] = "group:";
constexpr char kToken[] = "token:";

absl::Status Invalid(absl::string_view subject, absl::string_view problem) {
  return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                        absl::StrCat("subject \"", subject, "\" ", problem),
                        {{"subject", std::string(subject)}});
}

// ISSUER#NAME. An issuer is a URL without fragment, so that its first # ends it.
std::optional<std::pair<absl::string_view, absl::string_view>> Split(absl::string_view text) {
  const size_t hash = text.find('#');
  if (hash == absl::string_view::npos || hash == 0 || hash + 1 == text.size()) return std::nullopt;
  return std::pair(text.substr(0, hash), text.substr(hash + 1));
}

}  // namespace

std::string DnsSubject(absl::string_view name) { return absl::StrCat(kDns, name); }
std::string JwtSubject(absl::string_view issuer, absl::string_view subject) {
  return absl::StrCat(kJwt, issuer, "#", subject);
}
std::string GroupSubject(absl::string_view issuer, absl::string_view group) {
  return absl::StrCat(kGroup, issuer, "#", group);
}
std::string TokenSubject(absl::string_view token_name) { return absl::StrCat(kToken, token_name); }

absl::Status ValidateSubject(absl::string_view subject) {
  RETURN_IF_ERROR(model::ValidateText("subject", subject, kMaxSubjectBytes));
  if (std::any_of(subject.begin(), subject.end(), absl::ascii_iscntrl)) {
    return Invalid(absl::CHexEscape(subject), "has control characters, which no identity has");
  }
  absl::string_view rest = subject;
  if (absl::ConsumePrefix(&rest, kSpiffe)) {
    return rest.empty() ? Invalid(subject, "names nobody: write spiffe://DOMAIN/PATH")
                        : absl::OkStatus();
  }
  if (absl::ConsumePrefix(&rest, kDns)) {
    const bool plain = !rest.empty() && std::all_of(rest.begin(), rest.end(), [](char c) {
      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || absl::StrContains("-._*", c);
    });
    return plain ? absl::OkStatus()
                 : Invalid(subject, "is no DNS name in lower case: write dns:NAME");
  }
  if (absl::ConsumePrefix(&rest, kJwt) || absl::ConsumePrefix(&rest, kGroup)) {
    return Split(rest).has_value()
               ? absl::OkStatus()
               : Invalid(subject, "is incomplete: write jwt:ISSUER#SUBJECT or group:ISSUER#NAME");
  }
  if (absl::ConsumePrefix(&rest, kToken)) {
    const absl::Status name = version::ValidateServiceName(rest);
    return name.ok() ? name : Invalid(subject, "has no name of a token: write token:NAME");
  }
  if (subject == kLocalSubject) {
    return Invalid(subject, "is whoever can open the registry's socket, who may do everything");
  }
  return Invalid(subject,
                 "is none of spiffe://…, dns:NAME, jwt:ISSUER#SUBJECT, group:ISSUER#NAME, "
                 "token:NAME; `pinion whoami` says what a credential is");
}

std::optional<routing::v1::Identity> IdentityOf(absl::string_view subject) {
  routing::v1::Identity identity;
  absl::string_view rest = subject;
  if (absl::StartsWith(subject, kSpiffe)) {
    identity.set_spiffe_uri(std::string(subject));
  } else if (absl::ConsumePrefix(&rest, kDns)) {
    identity.set_dns_san(std::string(rest));
  } else if (absl::ConsumePrefix(&rest, kJwt)) {
    const auto parts = Split(rest);
    if (!parts.has_value()) return std::nullopt;
    identity.mutable_jwt()->set_issuer(std::string(parts->first));
    identity.mutable_jwt()->set_subject(std::string(parts->second));
  } else {
    return std::nullopt;
  }
  return identity;
}

}  // namespace pinion::access
