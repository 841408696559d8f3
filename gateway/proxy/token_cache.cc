#include "gateway/proxy/token_cache.h"

#include <algorithm>

#include "gateway/route/consumer_index.h"

namespace pinion::proxy {
namespace {

using Kind = auth::TokenVerdict::Kind;

// What an entry needs beside its token, or short ones would be held by the million.
constexpr size_t kEntryBytes = 256;

}  // namespace

const TokenCache::Known* TokenCache::Room::Find(absl::string_view token, absl::Time now) {
  if (const auto found = newer_.find(token); found != newer_.end()) {
    return found->second.until > now ? &found->second : nullptr;
  }
  const auto found = older_.find(token);
  if (found == older_.end() || found->second.until <= now) return nullptr;
  Known known = std::move(found->second);
  older_.erase(found);
  return &Keep(token, std::move(known));
}

const TokenCache::Known& TokenCache::Room::Keep(absl::string_view token, Known known) {
  const auto [entry, added] = newer_.try_emplace(std::string(token));
  entry->second = std::move(known);
  if (!added) return entry->second;
  const size_t bytes = token.size() + kEntryBytes;
  newer_bytes_ += bytes;
  if (newer_bytes_ <= half_bytes_max_) return entry->second;
  Known last = std::move(entry->second);
  newer_.erase(entry);
  older_ = std::exchange(newer_, {});
  newer_bytes_ = bytes;
  return newer_.emplace(std::string(token), std::move(last)).first->second;
}

void TokenCache::Room::Clear() {
  newer_.clear();
  older_.clear();
  newer_bytes_ = 0;
}

void TokenCache::SetIssuers(std::shared_ptr<const auth::Issuers> issuers) {
  issuers_ = std::move(issuers);
  good_.Clear();
  bad_.Clear();
}

const TokenCache::Known* TokenCache::Find(absl::string_view token, absl::Time now) {
  const Known* known = good_.Find(token, now);
  return known != nullptr ? known : bad_.Find(token, now);
}

const TokenCache::Known& TokenCache::Verify(absl::string_view token, absl::Time now) {
  Known known = Judge(token, now);
  verified_.Add();
  if (known.kind != Kind::kGood) refused_.Add();
  if (known.kind == Kind::kUnknownKey) AskForKeys(now);
  if (token.size() > limits::kJwtBytesMax) return too_long_ = std::move(known);
  return (known.kind == Kind::kGood ? good_ : bad_).Keep(token, std::move(known));
}

TokenCache::Known TokenCache::Judge(absl::string_view token, absl::Time now) {
  if (issuers_ == nullptr || clock_ == nullptr) {
    return {.kind = Kind::kBad,
            .identity = nullptr,
            .problem = "no tokens are taken here",
            .until = now};
  }
  const absl::Time wall = clock_->Wall();
  auth::TokenVerdict verdict = auth::VerifyToken(token, *issuers_, wall);
  Known known{.kind = verdict.kind,
              .identity = nullptr,
              .problem = std::move(verdict.problem),
              .until = now + std::min(verdict.until - wall, limits::kJwtVerdictMax)};
  if (verdict.kind == Kind::kGood) {
    known.identity =
        std::make_shared<const std::string>(route::JwtIdentity(verdict.issuer, verdict.subject));
  }
  return known;
}

void TokenCache::AskForKeys(absl::Time now) {
  if (unknown_key_ == nullptr || now < asked_ + limits::kJwtRetry) return;
  asked_ = now;
  unknown_key_();
}

}  // namespace pinion::proxy
