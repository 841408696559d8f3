#include "gateway/watch/stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
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
using registry::v1::Registry;
using registry::v1::RoutingWatch;
using registry::v1::WatchRequest;
using registry::v1::WatchResponse;

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// One GetVersionSchema call; its callback owns it.
struct SchemaCall {
  grpc::ClientContext context;
  GetVersionSchemaRequest request;
  GetVersionSchemaResponse response;
};

// One ProposePins call; the same.
struct ProposalCall {
  grpc::ClientContext context;
  registry::v1::ProposePinsRequest request;
  registry::v1::ProposePinsResponse response;
};

// One ReportGateway call; the same.
struct ReportCall {
  grpc::ClientContext context;
  registry::v1::ReportGatewayRequest request;
  registry::v1::ReportGatewayResponse response;
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
  auto call = std::make_shared<SchemaCall>();
  impl_->connection().Authenticate(call->context);
  call->request.set_service(key.service);
  call->request.set_name(key.version);
  call->context.set_deadline(
      absl::ToChronoTime(SystemClock().Wall() + limits::kSchemaFetchTimeout));
  impl_->registry().async()->GetVersionSchema(
      &call->context, &call->request, &call->response,
      [call, key, mailbox = std::move(mailbox)](const grpc::Status& status) {
        Event event{.kind = Event::Kind::kSchema, .status = ToStatus(status), .schema = key};
        event.descriptor_set = std::move(*call->response.mutable_descriptor_set());
        mailbox->Post(std::move(event));
      });
}

void Channel::ProposePins(const registry::v1::ProposePinsRequest& request,
                          std::shared_ptr<Mailbox> mailbox) {
  auto call = std::make_shared<ProposalCall>();
  impl_->connection().Authenticate(call->context);
  call->request = request;
  call->context.set_deadline(
      absl::ToChronoTime(SystemClock().Wall() + limits::kPinProposalTimeout));
  impl_->watch().async()->ProposePins(
      &call->context, &call->request, &call->response,
      [call, mailbox = std::move(mailbox)](const grpc::Status& status) {
        Event event{.kind = Event::Kind::kProposed, .status = ToStatus(status)};
        event.pins.Swap(&call->response);
        mailbox->Post(std::move(event));
      });
}

void Channel::Report(const registry::v1::ReportGatewayRequest& request,
                     std::shared_ptr<Mailbox> mailbox) {
  auto call = std::make_shared<ReportCall>();
  impl_->connection().Authenticate(call->context);
  call->request = request;
  call->context.set_deadline(absl::ToChronoTime(SystemClock().Wall() + limits::kReportTimeout));
  impl_->watch().async()->ReportGateway(
      &call->context, &call->request, &call->response,
      [call, mailbox = std::move(mailbox)](const grpc::Status& status) {
        mailbox->Post(Event{.kind = Event::Kind::kReported, .status = ToStatus(status)});
      });
}

}  // namespace pinion::watch
