// The consumers that a TableBuilder knows: checks them, numbers them, and keeps the ConsumerIndex
// of the next table. Owned by the builder, on its thread. Private to gateway/route.
#pragma once

#include <cstdint>
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
  void ReleasePin(uint32_t consumer);
  std::optional<uint32_t> Find(absl::string_view name) const { return index_.FindName(name); }

  // For a table; shares what does not change from here on.
  ConsumerIndex Freeze();

 private:
  using Identities = std::vector<std::pair<IdentityKind, std::string>>;

  absl::Status CheckFree(const Identities& identities, absl::string_view name) const;
  uint32_t Intern(absl::string_view name);
  uint32_t ChannelNumber(const std::string& channel);
  void PutIdentity(IdentityKind kind, absl::string_view value, uint32_t consumer);
  void DropIdentities(uint32_t consumer);
  // Frees the number of a consumer that is neither registered nor pinned.
  void Collect(uint32_t consumer);

  ConsumerIndex index_;
  std::vector<uint32_t> pins_of_ = {0};  // by consumer
  std::vector<uint32_t> free_consumers_;
  uint32_t identity_count_ = 0;  // numbers given out
  std::vector<uint32_t> free_identities_;
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>>
      identities_of_;  // by consumer; explicit ones
};

}  // namespace pinion::route
