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
#include "gateway/route/cow_records.h"
#include "gateway/route/cow_slots.h"
#include "gateway/route/slots.h"

namespace pinion::route {

// A registered caller. A view into the table that found it.
struct Consumer {
  uint32_t id = 0;
  absl::string_view name;
  absl::string_view default_channel;  // empty: none
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

  size_t MemoryBytes() const;

 private:
  friend class ConsumerBuilder;

  // What a consumer's record holds beside the name.
  static constexpr uint32_t kRegistered = 1u << 31;  // else a name that only pins mention so far
  static constexpr uint32_t kHasHeaderIdentity = 1u << 30;
  static constexpr uint32_t kChannelMask = kHasHeaderIdentity - 1;

  // The id of the record, or nullopt.
  std::optional<uint32_t> FindName(absl::string_view name) const;
  std::optional<uint32_t> FindIdentity(IdentityKind kind, absl::string_view value) const;
  Consumer View(uint32_t consumer) const;

  size_t size_ = 0;
  CowSlots<IdentitySlot> slots_;
  CowRecords names_;       // name; flags and the default channel's number
  CowRecords identities_;  // kind and value; the consumer's id
  std::shared_ptr<const std::vector<std::string>> channel_names_;  // 0: none
};

// (issuer, subject) as one value. NUL separates, which neither may hold.
std::string JwtIdentity(absl::string_view issuer, absl::string_view subject);

}  // namespace pinion::route
