#include "auth/jwt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "auth/json.h"
#include "auth/limits.h"

namespace pinion::auth {
namespace {

// Beyond it a number is no time: the year 9999.
constexpr double kSecondsMax = 253402300800.0;

// NumericDate of RFC 7519 §2; nullopt: it is there and none.
std::optional<absl::Time> TimeOf(const JsonObject& object, absl::string_view name,
                                 absl::Time otherwise) {
  const std::optional<JsonValue> value = Find(object, name);
  if (!value.has_value()) return otherwise;
  double seconds = 0;
  if (value->get(seconds) != simdjson::SUCCESS) return std::nullopt;
  if (!(seconds >= 0 && seconds < kSecondsMax)) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

// "aud": one, or a list (RFC 7519 §4.1.3).
bool IsFor(const JsonObject& claims, const std::vector<std::string>& audiences) {
  if (audiences.empty()) return true;
  const std::optional<JsonValue> value = Find(claims, "aud");
  const auto ours = [&](const JsonValue& each) {
    const std::optional<std::string> text = TextOf(each);
    return text.has_value() &&
           std::find(audiences.begin(), audiences.end(), *text) != audiences.end();
  };
  if (!value.has_value()) return false;
  simdjson::dom::array list;
  if (value->get(list) != simdjson::SUCCESS) return ours(*value);
  return std::any_of(list.begin(), list.end(), ours);
}

// Of a claim that is a list of texts, or one; whatever else is in it names no group.
std::vector<std::string> GroupsOf(const JsonObject& claims, absl::string_view claim) {
  std::vector<std::string> groups;
  if (claim.empty()) return groups;
  const std::optional<JsonValue> value = Find(claims, claim);
  if (!value.has_value()) return groups;
  const auto take = [&groups](const JsonValue& each) {
    std::optional<std::string> name = TextOf(each);
    if (!name.has_value() || name->empty() || groups.size() >= limits::kJwtGroupsMax) return;
    groups.push_back(*std::move(name));
  };
  simdjson::dom::array list;
  if (value->get(list) != simdjson::SUCCESS) {
    take(*value);
  } else {
    for (const JsonValue& each : list) take(each);
  }
  return groups;
}

// The parts of the compact form (RFC 7515 §7.1).
struct Parts {
  absl::string_view header, claims, signature, signed_part;
};
std::optional<Parts> Split(absl::string_view token) {
  const size_t first = token.find('.');
  if (first == absl::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == absl::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

class Verifier {
 public:
  Verifier(const Issuers& issuers, absl::Time now) : issuers_(issuers), now_(now) {}

  TokenVerdict Verify(absl::string_view token) {
    if (Read(token) && CheckTimes() && CheckAudience() && CheckSubject() && CheckSignature()) {
      verdict_.kind = TokenVerdict::Kind::kGood;
    }
    return std::move(verdict_);
  }

 private:
  bool Refuse(absl::string_view what, TokenVerdict::Kind kind = TokenVerdict::Kind::kBad) {
    verdict_.kind = kind;
    verdict_.problem = absl::StrCat("the token ", what);
    return false;
  }

  bool Read(absl::string_view token) {
    if (token.size() > limits::kJwtBytesMax) {
      return Refuse(absl::StrCat("is longer than ", limits::kJwtBytesMax, " bytes"));
    }
    const std::optional<Parts> parts = Split(token);
    if (!parts.has_value()) return Refuse("is malformed: not three parts with dots between");
    std::string bytes;
    std::optional<JsonObject> object = Decode(parts->header, bytes);
    if (!object.has_value()) return Refuse("is malformed: its header is not JSON in base64url");
    if (!ReadHeader(*object)) return false;
    object = Decode(parts->claims, bytes);
    if (!object.has_value()) return Refuse("is malformed: its claims are not JSON in base64url");
    if (!DecodeBase64Url(parts->signature, signature_)) {
      return Refuse("is malformed: its signature is not in base64url");
    }
    claims_ = *object;
    signed_part_ = parts->signed_part;
    return FindIssuer();
  }

  // Valid until the next call; `bytes` is room for it.
  std::optional<JsonObject> Decode(absl::string_view part, std::string& bytes) {
    if (!DecodeBase64Url(part, bytes)) return std::nullopt;
    return json_.Read(bytes);
  }

  bool ReadHeader(const JsonObject& header) {
    const std::optional<std::string> algorithm = TextOf(header, "alg");
    if (algorithm == "RS256") {
      algorithm_ = JwtAlgorithm::kRs256;
    } else if (algorithm == "ES256") {
      algorithm_ = JwtAlgorithm::kEs256;
    } else {
      return Refuse("is signed by neither RS256 nor ES256");
    }
    // RFC 7515 §4.1.11: what must be understood, and nothing of it is.
    if (Find(header, "crit").has_value()) return Refuse("has a critical header");
    const std::optional<std::string> id = TextOf(header, "kid");
    if (!id.has_value()) return Refuse("has a kid that is no text");
    key_id_ = *id;
    return true;
  }

  bool FindIssuer() {
    const std::optional<std::string> name = TextOf(claims_, "iss");
    for (const Issuer& each : issuers_) {
      if (name.has_value() && each.name == *name) issuer_ = &each;
    }
    return issuer_ != nullptr || Refuse("is of an issuer that is not trusted here");
  }

  bool CheckTimes() {
    const auto expires = TimeOf(claims_, "exp", absl::InfiniteFuture());
    const auto begins = TimeOf(claims_, "nbf", absl::InfinitePast());
    if (!expires.has_value() || !begins.has_value()) {
      return Refuse("has an exp or nbf that is no time");
    }
    if (*expires == absl::InfiniteFuture()) return Refuse("never expires: it has no exp");
    if (*expires + issuer_->leeway <= now_) {
      return Refuse(absl::StrCat("expired at ", TimeText(*expires), "; get another one"));
    }
    if (*begins - issuer_->leeway > now_) {
      verdict_.until = *begins - issuer_->leeway;
      return Refuse(absl::StrCat("is not valid before ", TimeText(*begins)));
    }
    verdict_.until = *expires + issuer_->leeway;
    return true;
  }

  bool CheckAudience() {
    return IsFor(claims_, issuer_->audiences) || Refuse("is for another audience");
  }

  bool CheckSubject() {
    const std::optional<std::string> subject = TextOf(claims_, "sub");
    if (!subject.has_value() || subject->empty() || subject->find('\0') != std::string::npos ||
        subject->size() > limits::kJwtSubjectBytesMax) {
      return Refuse("has no subject that could name a caller");
    }
    verdict_.issuer = issuer_->name;
    verdict_.subject = *subject;
    verdict_.groups = GroupsOf(claims_, issuer_->groups_claim);
    return true;
  }

  bool CheckSignature() {
    if (issuer_->keys == nullptr) {
      verdict_.until = now_ + limits::kJwtRetry;
      return Refuse("cannot be checked now: the keys of its issuer are not there yet; try again",
                    TokenVerdict::Kind::kNoKeys);
    }
    size_t tries = 0;
    for (const auto& key : *issuer_->keys) {
      if (key->algorithm() != algorithm_) continue;
      if (!key_id_.empty() && !key->id().empty() && key->id() != key_id_) continue;
      if (++tries > limits::kJwtTriesMax) {
        return Refuse("does not say by its kid which of its issuer's many keys has signed it",
                      TokenVerdict::Kind::kForged);
      }
      if (key->Signed(signed_part_, signature_)) return true;
    }
    if (tries > 0) {
      return Refuse("has a signature that its issuer's key did not make",
                    TokenVerdict::Kind::kForged);
    }
    verdict_.until = now_ + limits::kJwtRetry;
    return Refuse("is signed with a key that its issuer does not show",
                  TokenVerdict::Kind::kUnknownKey);
  }

  const Issuers& issuers_;
  const absl::Time now_;
  const Issuer* issuer_ = nullptr;
  JsonReader json_;
  JsonObject claims_;
  JwtAlgorithm algorithm_ = JwtAlgorithm::kRs256;
  std::string key_id_;
  absl::string_view signed_part_;
  std::string signature_;
  TokenVerdict verdict_;
};

}  // namespace

TokenVerdict VerifyToken(absl::string_view token, const Issuers& issuers, absl::Time now) {
  return Verifier(issuers, now).Verify(token);
}

}  // namespace pinion::auth
