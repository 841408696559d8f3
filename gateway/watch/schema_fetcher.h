// Gets what reflection needs of the versions that are routed to: from the disk at a start, from the
// registry while it is heard, a few at once. Owned by Watcher, used on its thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gateway/watch/mailbox.h"
#include "gateway/watch/routing_state.h"
#include "gateway/watch/schema_store.h"
#include "gateway/watch/stream.h"

namespace pinion::watch {

class SchemaFetcher {
 public:
  // `state` outlives this. `snapshot_dir`: schemas are kept in a folder of it; empty: nowhere.
  SchemaFetcher(RoutingState& state, const std::string& snapshot_dir);

  // Puts those that the disk has into the state.
  void Load();
  // Asks the registry, which is heard, for what is missing; Take() follows for each.
  void Fetch(Channel& channel, const std::shared_ptr<Mailbox>& mailbox);
  // A kSchema event. One that could not be fetched is wanted again by the next Fetch(), but for one
  // that the registry does not have. Not OK: it could not be kept on the disk.
  absl::Status Take(Event& event);
  // The disk forgets those that no version has.
  void Tidy();

 private:
  RoutingState& state_;
  std::optional<SchemaStore> store_;
  size_t under_way_ = 0;
};

}  // namespace pinion::watch
