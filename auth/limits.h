// Every bound of credentials: in headers, tokens, keys and certificates, with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace pinion::limits {

// ---- what callers send ----

// A token with a list of rights has 2 KiB; header lists end soon after this.
inline constexpr size_t kJwtBytesMax = 8 * 1024;
// As of any identity of a consumer.
inline constexpr size_t kJwtSubjectBytesMax = 2048;
// The same of a certificate, and how many of its DNS names are looked up.
inline constexpr size_t kCertificateNameBytesMax = 2048;
inline constexpr size_t kCertificateNamesMax = 16;
// 128 random bits are 22 to 32 characters; keys with a prefix and a checksum stay below 100. One is
// remembered for each connection.
inline constexpr size_t kApiKeyBytesMax = 256;
// Clocks of issuers and gateways differ by less; what most libraries allow.
inline constexpr absl::Duration kJwtLeeway = absl::Seconds(60);
inline constexpr absl::Duration kJwtLeewayMax = absl::Minutes(10);

// Of one token's claim of groups. Directories put up to 200 into a token before they leave them
// out.
inline constexpr size_t kJwtGroupsMax = 256;

// ---- what checking them costs ----

// A token that does not name its key is tried with each that could have signed it.
inline constexpr size_t kJwtTriesMax = 8;
// A worker's verdicts on good tokens, in bytes: a few thousand. Beyond it those that were not asked
// for longest are verified anew. Bad ones have a room of their own, or a flood of them would drive
// out the good.
inline constexpr size_t kJwtCacheBytes = 4 * 1024 * 1024;
inline constexpr size_t kJwtBadCacheBytes = 512 * 1024;
// A verdict counts by the monotonic clock, and the wall clock may be set: none is older than this.
inline constexpr absl::Duration kJwtVerdictMax = absl::Minutes(5);
// A refusal that may be another one soon, since keys are under way, is asked for again after this.
inline constexpr absl::Duration kJwtRetry = absl::Seconds(1);
// New tokens of one connection that turn out not to be signed: each costs as much as some twenty
// calls. More than a connection of many callers brings by mistake, and a thousandth of a worker.
inline constexpr uint32_t kForgedTokenBurst = 100;
inline constexpr uint32_t kForgedTokensPerSecond = 10;

// ---- keys of issuers ----

// An issuer shows two or three.
inline constexpr size_t kJwtKeysMax = 64;
inline constexpr size_t kJwksBytesMax = 1024 * 1024;
inline constexpr absl::Duration kJwksTimeout = absl::Seconds(10);
// Issuers show a new key for longer than this before they use it.
inline constexpr absl::Duration kJwksRefresh = absl::Minutes(5);
// For a key that nobody knows: soon, but no caller can make us fetch more often.
inline constexpr absl::Duration kJwksRest = absl::Seconds(10);
// After a fetch that failed.
inline constexpr absl::Duration kJwksBackoffMin = absl::Seconds(1);
inline constexpr absl::Duration kJwksBackoffMax = absl::Minutes(1);
// How soon a changed file is seen.
inline constexpr absl::Duration kJwtFileLookInterval = absl::Seconds(5);

}  // namespace pinion::limits
