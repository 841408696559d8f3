// Finds consumers by name and identity. A copy-on-write value: a route table holds one copy,
// ConsumerBuilder changes another. Thread-compatible; the copy in a table is immutable and any
// thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/route/cow_names.h"

namespace pinion::route {

// A registered caller. A view into the table that found it.
struct Consumer {
  uint32_t id = 0;
  absl::string_view name;
  absl::string_view default_channel;  // empty: none
};

enum class IdentityKind : char {
  kHeader = 'h',
  kSpiffe = 's',
  kDnsSan = 'd',
  kJwt = 'j',
  kApiKey = 'k',
};

class ConsumerIndex {
 public:
  ConsumerIndex() : channel_names_(std::make_shared<std::vector<std::string>>(1)) {}

  // Registered consumers.
  size_t size() const { return size_; }

  // By an explicit identity of that kind.
  std::optional<Consumer> Find(IdentityKind kind, absl::string_view value) const;
  // By a trusted header's value: a consumer's name, unless it has explicit identities of this kind,
  // or such an identity.
  std::optional<Consumer> FindByHeader(absl::string_view value) const;

  size_t MemoryBytes() const { return names_.MemoryBytes(); }
  // As CowPages::CopiedSince.
  size_t CopiedSince(const ConsumerIndex& before) const {
    return names_.CopiedSince(before.names_);
  }

 private:
  friend class ConsumerBuilder;

  // The kind of a consumer's own name beside those of identities. Its entry holds the consumer's
  // number, the flags, and the number of its default channel. An identity's entry holds the name of
  // its consumer as text.
  static constexpr char kName = 'n';
  static constexpr uint32_t kRegistered = 1u << 31;  // else a name that only pins mention so far
  static constexpr uint32_t kHasHeaderIdentity = 1u << 30;
  static constexpr uint32_t kChannelMask = kHasHeaderIdentity - 1;

  Consumer View(const CowNames::Entry& entry) const;

  size_t size_ = 0;
  CowNames names_;
  std::shared_ptr<const std::vector<std::string>> channel_names_;  // 0: none
};

// (issuer, subject) as one value. NUL separates, which neither may hold.
std::string JwtIdentity(absl::string_view issuer, absl::string_view subject);

}  // namespace pinion::route
