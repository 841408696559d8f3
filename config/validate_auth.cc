// Credentials of callers: headers that differ, and issuers of tokens whose keys can be had; what is
// in files is read as the gateway will.
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "auth/limits.h"
#include "auth/verification_key.h"
#include "base/proto_duration.h"
#include "base/read_file.h"
#include "config/address.h"
#include "config/validate.h"
#include "dial/credentials.h"
#include "gateway/net/tls_files.h"

namespace pinion::config {
namespace {

absl::Status CheckKeyFile(const std::string& path) {
  auto text = ReadFile(path, limits::kJwksBytesMax);
  absl::Status status = text.ok() ? auth::ParseKeySet(*text).status() : text.status();
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

bool IsFetchable(const std::string& url) {
  if (absl::StartsWith(url, "https://")) return true;
  for (const char* local : {"http://127.0.0.1", "http://[::1]", "http://localhost"}) {
    if (!absl::StartsWith(url, local)) continue;
    const std::string rest = url.substr(std::char_traits<char>::length(local));
    return rest.empty() || rest[0] == ':' || rest[0] == '/';
  }
  return false;
}

class AuthValidator {
 public:
  AuthValidator(const v1::Bootstrap& bootstrap, Reporter report)
      : bootstrap_(bootstrap), report_(report) {}

  void CheckListener(const v1::ConsumerIdentity& identity, const std::string& path) {
    if (identity.has_jwt() && bootstrap_.gateway().jwt_issuers().empty()) {
      report_.AtValue(absl::StrCat(path, ".jwt"),
                      "needs gateway.jwt_issuers, by whose keys tokens are checked");
    }
    if (identity.has_jwt() && identity.trusted_header().name() == "authorization") {
      report_.AtValue(absl::StrCat(path, ".trusted_header.name"),
                      "\"authorization\" already has the token");
    }
    if (!identity.has_api_key()) return;
    const std::string& header = identity.api_key().header();
    const std::string header_path = absl::StrCat(path, ".api_key.header");
    if (!report_.Check(header_path, CheckHeaderName(header))) return;
    const std::string& version = bootstrap_.gateway().version_header();
    if (header == (version.empty() ? "api-version" : version)) {
      report_.AtValue(header_path, absl::StrCat("\"", header, "\" already asks for a version"));
    } else if (header == identity.trusted_header().name()) {
      report_.AtValue(header_path, absl::StrCat("\"", header, "\" already is the trusted header"));
    } else if (header == "authorization" && identity.has_jwt()) {
      report_.AtValue(header_path, "\"authorization\" already has the token");
    }
  }

  void CheckIssuer(const v1::JwtIssuer& issuer, const std::string& path) {
    if (issuer.issuer().empty()) {
      report_.AtValue(path, "issuer is missing: the tokens' iss");
    } else if (!names_.insert(issuer.issuer()).second) {
      report_.AtValue(absl::StrCat(path, ".issuer"),
                      absl::StrCat("a second entry for \"", issuer.issuer(), "\""));
    }
    if (issuer.jwks_file().empty() == issuer.jwks_url().empty()) {
      report_.AtValue(path, "needs either jwks_file or jwks_url, where the issuer's keys are");
    }
    if (!issuer.jwks_url().empty()) CheckUrl(issuer, path);
    if (!issuer.jwks_file().empty()) {
      report_.Check(absl::StrCat(path, ".jwks_file"), CheckKeyFile(issuer.jwks_file()));
    }
    if (!issuer.trusted_ca().empty()) {
      report_.Check(absl::StrCat(path, ".trusted_ca"), net::CheckCertificates(issuer.trusted_ca()));
    }
    const absl::Duration leeway = FromProto(issuer.leeway());
    if (leeway < absl::ZeroDuration() || leeway > limits::kJwtLeewayMax) {
      report_.AtValue(
          absl::StrCat(path, ".leeway"),
          absl::StrCat("must be from 0s to ", absl::ToInt64Seconds(limits::kJwtLeewayMax), "s"));
    }
  }

 private:
  void CheckUrl(const v1::JwtIssuer& issuer, const std::string& path) {
    const std::string& url = issuer.jwks_url();
    const std::string url_path = absl::StrCat(path, ".jwks_url");
    if (!IsFetchable(url)) {
      report_.AtValue(url_path, "must begin with https://; plain http only from this machine");
    } else if (url.substr(0, url.find('?')).find('@') != std::string::npos) {
      report_.AtValue(url_path, "has a user or password in it; keys of issuers are public");
    }
    if (issuer.has_refresh() && issuer.refresh().seconds() < 1) {
      report_.AtValue(absl::StrCat(path, ".refresh"), "must be 1s or more");
    }
  }

  const v1::Bootstrap& bootstrap_;
  Reporter report_;
  std::set<std::string> names_;
};

}  // namespace

void ValidateAuth(const v1::Bootstrap& bootstrap, Reporter report) {
  AuthValidator validator(bootstrap, report);
  for (int i = 0; i < bootstrap.listeners_size(); ++i) {
    validator.CheckListener(bootstrap.listeners(i).consumer_identity(),
                            absl::StrCat("listeners[", i, "].consumer_identity"));
  }
  for (int i = 0; i < bootstrap.gateway().jwt_issuers_size(); ++i) {
    validator.CheckIssuer(bootstrap.gateway().jwt_issuers(i),
                          absl::StrCat("gateway.jwt_issuers[", i, "]"));
  }
  AuthValidator registry(bootstrap, report);
  for (int i = 0; i < bootstrap.registry().access().jwt_issuers_size(); ++i) {
    registry.CheckIssuer(bootstrap.registry().access().jwt_issuers(i),
                         absl::StrCat("registry.access.jwt_issuers[", i, "]"));
  }
  const std::string& token_file = bootstrap.registry().client().token_file();
  if (!token_file.empty()) {
    report.Check("registry.client.token_file", dial::ReadTokenFile(token_file).status());
  }
}

}  // namespace pinion::config
