// One probe's way to an instance: its connection, until when, and who may cut it short. The calls
// of a probe come one after another, on its thread. Internal to this folder.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace pinion::probe {

// The calls that run, so that they can all be cancelled. Thread-safe.
class RunningCalls {
 public:
  // From now on they are cancelled, and so is each that comes.
  void CancelAll();

  void Add(grpc::ClientContext* call);
  void Remove(grpc::ClientContext* call);

 private:
  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
};

struct Contact {
  std::shared_ptr<grpc::Channel> channel;
  absl::Time deadline;  // wall clock, of all calls together
  RunningCalls& running;
};

// A call's context, and the queue on which its thread waits for one step of it after another. What
// the queue still holds is waited for at the end, so it is declared before what uses it.
class Steps {
 public:
  explicit Steps(const Contact& contact);
  ~Steps();
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  grpc::ClientContext& context() { return context_; }
  grpc::CompletionQueue& queue() { return queue_; }

  // Until the step that was begun last is done; whether it was. The deadline bounds it.
  bool Wait();

 private:
  RunningCalls& running_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
};

// A strange server's words, short and printable.
std::string Quoted(absl::string_view words);

// How a call ended, without gRPC's types.
absl::Status ToStatus(const grpc::Status& status);

}  // namespace pinion::probe
