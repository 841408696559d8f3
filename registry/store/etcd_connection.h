// The members of one etcd: which of them is asked, how a call is tried again, and by whom. One
// member serves until it fails; then the next is tried.
// Thread-safe; calls block. Owned by EtcdStore.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "etcd/rpc.grpc.pb.h"
#include "registry/store/etcd_errors.h"
#include "registry/store/etcd_options.h"
#include "registry/store/store.h"

namespace pinion::store {

struct EtcdMember {
  std::string endpoint;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Watch::Stub> watch;
  std::unique_ptr<etcdserverpb::Lease::Stub> lease;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance;
  std::unique_ptr<etcdserverpb::Auth::Stub> auth;
};

// When a call gives up.
using EtcdDeadline = absl::Time;  // on the monotonic clock

// One attempt of a call at one member; fills `header` from the response.
using EtcdRpc = std::function<grpc::Status(const EtcdMember& member, grpc::ClientContext& context,
                                           etcdserverpb::ResponseHeader& header)>;

// The call `method` of a member's `stub`. `request` and `response` outlive it.
template <typename Stub, typename Request, typename Response>
EtcdRpc EtcdCall(std::unique_ptr<Stub> EtcdMember::*stub,
                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 const Request& request, Response& response) {
  return [stub, method, &request, &response](const EtcdMember& member, grpc::ClientContext& context,
                                             etcdserverpb::ResponseHeader& header) {
    response.Clear();
    const grpc::Status status = ((*(member.*stub)).*method)(&context, request, &response);
    header = response.header();
    return status;
  };
}

class EtcdConnection {
 public:
  // Waits until a member answers, has a leader, is new enough and lets the user in; at most as long
  // as the options say. `clock` outlives it. Unavailable: none answered; Cancelled: it was asked to
  // stop; FailedPrecondition: something that a person has to mend; Unauthenticated and
  // PermissionDenied: as they say.
  static absl::StatusOr<std::unique_ptr<EtcdConnection>> Open(const EtcdOptions& options,
                                                              const Clock& clock);

  // One attempt. A member that does not answer is not asked next time.
  EtcdVerdict Try(const EtcdRpc& rpc, EtcdDeadline deadline);

  // As many as it takes until the deadline: only for what may be carried out twice.
  absl::Status Repeat(const EtcdRpc& rpc, EtcdDeadline deadline);

  EtcdDeadline Deadline() const;  // of a call that begins now
  // Waits a little before the next attempt. False: the deadline would pass.
  bool WaitBeforeRetry(int attempts, EtcdDeadline deadline);

  // For streams, which outlive a call: the member to ask, and `context` made ready for it.
  const EtcdMember& Current(grpc::ClientContext& context);
  // `member` does not answer, or not well: another is next.
  void Leave(const EtcdMember& member);
  // After a stream was refused for it.
  void ForgetToken();

  // The newest revision that any answer has shown.
  Revision newest() const { return newest_.load(std::memory_order_acquire); }
  // FailedPrecondition: it is of another cluster than the first answer was.
  absl::Status Observe(const EtcdMember& member, const etcdserverpb::ResponseHeader& header);

  const EtcdOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }

 private:
  EtcdConnection(const EtcdOptions& options, const Clock& clock);
  // One round of what Open() waits for. kUnknown and kNotDone: again, later.
  EtcdVerdict Check();
  EtcdVerdict CheckMember(const EtcdMember& member, EtcdDeadline deadline);
  EtcdVerdict Authenticate(const EtcdMember& member, EtcdDeadline deadline);
  // Lets a connection come about, if it does soon: gRPC works at it only while somebody waits.
  void AwaitConnection(const EtcdMember& member, EtcdDeadline deadline) const;
  EtcdVerdict Attempt(const EtcdMember& member, const EtcdRpc& rpc, EtcdDeadline deadline);
  std::string Token() const;

  const EtcdOptions options_;
  const Clock& clock_;
  std::vector<std::unique_ptr<const EtcdMember>> members_;
  std::atomic<size_t> current_ = 0;
  std::atomic<Revision> newest_ = 0;
  std::atomic<uint64_t> cluster_ = 0;  // 0: not known yet
  mutable Mutex mutex_;
  CondVar never_;  // for waiting
  std::string token_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::store
