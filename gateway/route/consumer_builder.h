// The consumers that a TableBuilder knows: checks them, numbers them, and keeps the ConsumerIndex
// of the next table. Owned by the builder, on its thread. Private to gateway/route.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "gateway/route/consumer_index.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::route {

class ConsumerBuilder {
 public:
  // InvalidArgument; AlreadyExists: an identity belongs to another consumer. Nothing has changed
  // then.
  absl::Status Put(const routing::v1::Consumer& consumer);
  void Delete(absl::string_view name);

  // The number of the consumer, which need not be registered yet; a pin holds on to it until
  // ReleasePin.
  uint32_t AcquireForPin(absl::string_view name);
  void ReleasePin(absl::string_view name);
  std::optional<uint32_t> Find(absl::string_view name) const;

  // As CowNames says; for Put() and AcquireForPin().
  void PrefetchSlot(absl::string_view name) const {
    index_.names_.PrefetchSlot(ConsumerIndex::kName, name);
  }
  void PrefetchRecord(absl::string_view name) const {
    index_.names_.PrefetchRecord(ConsumerIndex::kName, name);
  }

  // For a table; shares what does not change from here on.
  ConsumerIndex Freeze();

 private:
  using Identities = std::vector<std::pair<IdentityKind, std::string>>;

  absl::Status CheckFree(const Identities& identities, absl::string_view name) const;
  // Its number and flags, made if there are none.
  CowNames::Numbers Intern(absl::string_view name);
  uint32_t ChannelNumber(const std::string& channel);
  void DropIdentities(uint32_t consumer);
  // Frees the number of a consumer that is neither registered nor pinned.
  void Collect(absl::string_view name);

  ConsumerIndex index_;
  std::vector<uint32_t> pins_of_ = {0};  // by consumer; numbers begin at 1
  std::vector<uint32_t> free_numbers_;
  absl::flat_hash_map<uint32_t, Identities> identities_of_;  // by consumer; explicit ones
};

}  // namespace pinion::route
