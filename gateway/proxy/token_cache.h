// The tokens that one worker has verified, so that a signature is checked once a token and not once
// a call. Good and bad ones have a bounded room each, in two halves: the older half is forgotten
// when the newer one is full, and what is asked for moves to the newer. Owned by Proxy; its thread.
//
// A token is found by the hash of all of it, which is another one in each process, and only then
// compared: the time that takes tells nobody how much of a guess was right.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "auth/jwt.h"
#include "auth/limits.h"
#include "base/clock.h"
#include "base/counter.h"

namespace pinion::proxy {

class TokenCache {
 public:
  struct Known {
    auth::TokenVerdict::Kind kind = auth::TokenVerdict::Kind::kBad;
    std::shared_ptr<const std::string> identity;  // of a good one: as route::JwtIdentity()
    std::string problem;                          // of another: a sentence for the caller
    absl::Time until;                             // monotonic
  };

  // `clock` outlives the cache; null: no token is good. `unknown_key` may be null; it is called at
  // most once in limits::kJwtRetry.
  TokenCache(const Clock* clock, std::function<void()> unknown_key)
      : clock_(clock), unknown_key_(std::move(unknown_key)) {}

  // Other keys: everything is verified anew.
  void SetIssuers(std::shared_ptr<const auth::Issuers> issuers);

  // What is known of it; null: nothing, or no longer. Valid until the next call of this class.
  // `now`: monotonic, of this turn.
  const Known* Find(absl::string_view token, absl::Time now);
  // Verifies it. Valid likewise.
  const Known& Verify(absl::string_view token, absl::Time now);
  // Counts one that nobody looked at, for want of trust in who sent it.
  void Skip() { skipped_.Add(); }

  // Tokens that were verified, of those the ones that were refused, and the ones that were not
  // looked at. Any thread.
  const Counter& verified() const { return verified_; }
  const Counter& refused() const { return refused_; }
  const Counter& skipped() const { return skipped_; }

 private:
  class Room {
   public:
    explicit Room(size_t bytes_max) : half_bytes_max_(bytes_max / 2) {}
    const Known* Find(absl::string_view token, absl::Time now);
    const Known& Keep(absl::string_view token, Known known);
    void Clear();

   private:
    using Half = absl::flat_hash_map<std::string, Known>;

    const size_t half_bytes_max_;
    Half newer_;
    Half older_;
    size_t newer_bytes_ = 0;
  };

  Known Judge(absl::string_view token, absl::Time now);
  void AskForKeys(absl::Time now);

  const Clock* const clock_;
  const std::function<void()> unknown_key_;
  absl::Time asked_ = absl::InfinitePast();
  std::shared_ptr<const auth::Issuers> issuers_;
  Room good_{limits::kJwtCacheBytes};
  Room bad_{limits::kJwtBadCacheBytes};
  Known too_long_;  // the last of those that are not remembered
  Counter verified_;
  Counter refused_;
  Counter skipped_;
};

}  // namespace pinion::proxy
