// A JSON Web Token (RFC 7519) in its compact form, and whether it is to be believed. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "auth/limits.h"
#include "auth/verification_key.h"

namespace pinion::auth {

// Whose tokens are believed. Immutable; another one takes its place when keys change.
struct Issuer {
  std::string name;                            // "iss", exact bytes
  std::vector<std::string> audiences;          // a token is for one of them; empty: for anybody
  std::shared_ptr<const KeySet> keys;          // null: not there yet
  absl::Duration leeway = limits::kJwtLeeway;  // for clocks that differ
  std::string groups_claim;                    // a list of names, or one; empty: none is read
};
using Issuers = std::vector<Issuer>;

struct TokenVerdict {
  enum class Kind {
    kGood,
    kBad,         // it says so itself: malformed, expired, not for us
    kForged,      // no key of its issuer has signed it: the one verdict that is dear to reach
    kUnknownKey,  // its issuer shows no such key: newer ones may have it
    kNoKeys,      // its issuer's keys are not there yet, so nothing is known
  };
  Kind kind = Kind::kBad;
  // A sentence for whoever sent it, without any of the token but its times; empty when it is good.
  std::string problem;
  // Of a good one.
  std::string issuer;
  std::string subject;
  std::vector<std::string> groups;  // the first limits::kJwtGroupsMax
  // When the verdict has to be asked for again: the token has expired, or would be good.
  absl::Time until = absl::InfiniteFuture();
};

// Looks at the signature last, so that only tokens that would be good cost more than reading them.
TokenVerdict VerifyToken(absl::string_view token, const Issuers& issuers, absl::Time now);

}  // namespace pinion::auth
