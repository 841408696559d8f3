#include "gateway/watch/stream.h"

#include <functional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "dial/registry_connection.h"
#include "gateway/watch_limits.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"

namespace pinion::watch {
namespace {

using registry::v1::GetVersionSchemaRequest;
using registry::v1::GetVersionSchemaResponse;
using registry::v1::ProposePinsRequest;
using registry::v1::ProposePinsResponse;
using registry::v1::Registry;
using registry::v1::ReportGatewayRequest;
using registry::v1::ReportGatewayResponse;
using registry::v1::RoutingWatch;
using registry::v1::WatchRequest;
using registry::v1::WatchResponse;

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Calls that have one answer. gRPC's callbacks say that one has ended, and the watcher's thread
// ends its life: a context keeps the channel, and a channel that is given up last by one of gRPC's
// own threads would wait for that thread.
class UnaryCalls {
 public:
  struct Call {
    virtual ~Call() = default;
    grpc::ClientContext context;
  };

  ~UnaryCalls() {
    std::vector<Call*> open;
    {
      MutexLock lock(&mutex_);
      for (const auto& [call, owned] : open_) open.push_back(call);
    }
    // Outside of the lock, which a callback takes that gRPC may run here and now. Calls that end
    // meanwhile stay in over_.
    for (Call* call : open) call->context.TryCancel();
    MutexLock lock(&mutex_);
    while (!open_.empty()) ended_.Wait(&mutex_);
  }

  // The watcher's thread, which also forgets those that have ended.
  void Add(std::unique_ptr<Call> call) {
    std::vector<std::unique_ptr<Call>> over;
    MutexLock lock(&mutex_);
    over.swap(over_);
    open_.emplace(call.get(), std::move(call));
  }
  // gRPC's threads; the last that they do with the call.
  void End(Call* call) {
    MutexLock lock(&mutex_);
    over_.push_back(std::move(open_.extract(call).mapped()));
    if (open_.empty()) ended_.Signal();
  }

 private:
  Mutex mutex_;
  CondVar ended_;
  absl::flat_hash_map<Call*, std::unique_ptr<Call>> open_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Call>> over_ ABSL_GUARDED_BY(mutex_);
};

class GrpcStream final : public Stream, private grpc::ClientReadReactor<WatchResponse> {
 public:
  GrpcStream(dial::RegistryConnection& connection, RoutingWatch::Stub& stub,
             const WatchRequest& request, std::shared_ptr<Mailbox> mailbox)
      : request_(request), mailbox_(std::move(mailbox)) {
    connection.Authenticate(context_);
    stub.async()->Watch(&context_, &request_, this);
    // Reads begin on another thread than gRPC's; the hold is what keeps the call alive between
    // them.
    AddHold();
    StartRead(&response_);
    StartCall();
  }

  void Next() override { StartRead(&response_); }
  void Cancel() override { context_.TryCancel(); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();
      return;
    }
    Event event{.kind = Event::Kind::kMessage};
    event.message.Swap(&response_);
    mailbox_->Post(std::move(event));
  }

  void OnDone(const grpc::Status& status) override {
    // The watcher may destroy this as soon as it sees the event.
    const std::shared_ptr<Mailbox> mailbox = mailbox_;
    mailbox->Post(Event{.kind = Event::Kind::kStreamEnded,
                        .status = ToStatus(status),
                        .info = ErrorInfoIn(status.error_details())});
  }

  grpc::ClientContext context_;
  const WatchRequest request_;
  WatchResponse response_;
  const std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace

class Channel::Impl {
 public:
  Impl(const std::string& address, const dial::Credentials& credentials)
      : connection_(address, credentials, Arguments()),
        watch_(RoutingWatch::NewStub(connection_.channel())),
        registry_(Registry::NewStub(connection_.channel())) {}

  dial::RegistryConnection& connection() { return connection_; }
  RoutingWatch::Stub& watch() { return *watch_; }
  Registry::Stub& registry() { return *registry_; }

  // `answer` makes an event of what came, on one of gRPC's threads.
  template <typename Request, typename Response, typename Async>
  void Call(Async& stub,
            void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  std::function<void(grpc::Status)>),
            Request request, absl::Duration timeout, std::shared_ptr<Mailbox> mailbox,
            std::function<Event(absl::Status, Response&)> answer) {
    struct Made : UnaryCalls::Call {
      Request request;
      Response response;
    };
    auto owned = std::make_unique<Made>();
    Made* const call = owned.get();
    call->request = std::move(request);
    connection_.Authenticate(call->context);
    call->context.set_deadline(absl::ToChronoTime(SystemClock().Wall() + timeout));
    calls_.Add(std::move(owned));
    (stub.*method)(&call->context, &call->request, &call->response,
                   [this, call, mailbox = std::move(mailbox),
                    answer = std::move(answer)](const grpc::Status& status) {
                     mailbox->Post(answer(ToStatus(status), call->response));
                     calls_.End(call);
                   });
  }

 private:
  static grpc::ChannelArguments Arguments() {
    const auto milliseconds = [](absl::Duration duration) {
      return static_cast<int>(absl::ToInt64Milliseconds(duration));
    };
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(limits::kWatchMessageBytesMax);
    // Not slower than the watcher, which has its own backoff.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, milliseconds(limits::kWatchBackoffMin));
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, milliseconds(limits::kWatchBackoffMax) / 2);
    return arguments;
  }

  dial::RegistryConnection connection_;
  const std::unique_ptr<RoutingWatch::Stub> watch_;
  const std::unique_ptr<Registry::Stub> registry_;
  UnaryCalls calls_;  // ends before what its calls use
};

Channel::Channel(const std::string& address, const dial::Credentials& credentials)
    : impl_(std::make_unique<Impl>(address, credentials)) {}
Channel::~Channel() = default;

std::unique_ptr<Stream> Channel::Begin(const WatchRequest& request,
                                       std::shared_ptr<Mailbox> mailbox) {
  return std::make_unique<GrpcStream>(impl_->connection(), impl_->watch(), request,
                                      std::move(mailbox));
}

void Channel::FetchSchema(const SchemaKey& key, std::shared_ptr<Mailbox> mailbox) {
  GetVersionSchemaRequest request;
  request.set_service(key.service);
  request.set_name(key.version);
  impl_->Call<GetVersionSchemaRequest, GetVersionSchemaResponse>(
      *impl_->registry().async(), &Registry::Stub::async::GetVersionSchema, std::move(request),
      limits::kSchemaFetchTimeout, std::move(mailbox),
      [key](absl::Status status, GetVersionSchemaResponse& response) {
        // What stands under the digest, here and on the disk, is never looked at again.
        if (status.ok() && response.schema_digest() != key.digest) {
          status = absl::NotFoundError("it has another schema by now");
        }
        Event event{.kind = Event::Kind::kSchema, .status = std::move(status), .schema = key};
        event.descriptor_set = std::move(*response.mutable_descriptor_set());
        return event;
      });
}

void Channel::ProposePins(const ProposePinsRequest& request, std::shared_ptr<Mailbox> mailbox) {
  impl_->Call<ProposePinsRequest, ProposePinsResponse>(
      *impl_->watch().async(), &RoutingWatch::Stub::async::ProposePins, request,
      limits::kPinProposalTimeout, std::move(mailbox),
      [](absl::Status status, ProposePinsResponse& response) {
        Event event{.kind = Event::Kind::kProposed, .status = std::move(status)};
        event.pins.Swap(&response);
        return event;
      });
}

void Channel::Report(const ReportGatewayRequest& request, std::shared_ptr<Mailbox> mailbox) {
  impl_->Call<ReportGatewayRequest, ReportGatewayResponse>(
      *impl_->watch().async(), &RoutingWatch::Stub::async::ReportGateway, request,
      limits::kReportTimeout, std::move(mailbox), [](absl::Status status, ReportGatewayResponse&) {
        return Event{.kind = Event::Kind::kReported, .status = std::move(status)};
      });
}

}  // namespace pinion::watch
