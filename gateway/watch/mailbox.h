// What other threads have for the watcher's thread: gRPC's callbacks only post here. Shared by the
// two sides, since a callback may still be leaving Post() when the watcher is done.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/error_info.h"
#include "gateway/watch/schema_key.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

struct Event {
  enum class Kind {
    kMessage,
    kStreamEnded,
    kSchema,
    kProposals,
    kProposed,
    kCollected,
    kReported,
    kAccept,
    kStop,
  };
  Kind kind = Kind::kStop;
  registry::v1::WatchResponse message;  // kMessage
  // kStreamEnded: why; kSchema, kProposed, kReported: whether it was answered.
  absl::Status status;
  ErrorInfo info;                          // kStreamEnded: what the registry says of its reason
  std::string registry_id;                 // kAccept: an operator's word, see RoutingState::Accept
  SchemaKey schema;                        // kSchema: what was asked for,
  std::string descriptor_set;              // and what came
  registry::v1::ProposePinsResponse pins;  // kProposed: what became of them
};

// Its length is bounded by its users: a stream has one message under way and ends once, one batch
// of pins and one report are, and limits::kSchemaFetchesMax schemas are; kProposals and kCollected
// say once that some wait; a person posts kAccept.
class Mailbox {
 public:
  void Post(Event event) {
    absl::MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
  }

  // Nullopt: `timeout` has passed.
  std::optional<Event> Wait(absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    const auto some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !events_.empty(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&some), timeout)) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

 private:
  absl::Mutex mutex_;
  std::deque<Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::watch
