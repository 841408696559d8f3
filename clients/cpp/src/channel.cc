// A channel whose calls go through an interceptor of gRPC.
#include "pinion/client/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/client_interceptor.h>

#include "src/chain.h"
#include "src/notices.h"
#include "src/response.h"

namespace pinion::client {
namespace {

using grpc::experimental::InterceptionHookPoints;
using Sent = std::multimap<std::string, std::string>;

// What a connection's calls share; never changes but for the notices.
struct Shared {
  explicit Shared(ChannelOptions given)
      : options(std::move(given)), notices(options.on_deprecation, options.log) {}

  const ChannelOptions options;
  Notices notices;
};

// The pin of the chain for this service, then the connection's own; empty: none.
std::string WantedPin(const ChannelOptions& options, const std::string& grpc_service,
                      const Sent& sent) {
  if (const auto passed_on = sent.find(ChainHeader(options.header)); passed_on != sent.end()) {
    ChainPins pins;
    ParseChainPins(passed_on->second, pins);
    if (const auto pin = pins.find(grpc_service); pin != pins.end()) return pin->second;
  }
  const auto pin = options.pins.find(grpc_service);
  return pin == options.pins.end() ? options.default_pin : pin->second;
}

// One call's.
class PinInterceptor : public grpc::experimental::Interceptor {
 public:
  PinInterceptor(std::shared_ptr<Shared> shared, std::string grpc_service)
      : shared_(std::move(shared)), grpc_service_(std::move(grpc_service)) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    const auto is_at = [methods](InterceptionHookPoints point) {
      return methods->QueryInterceptionHookPoint(point);
    };
    if (is_at(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      AddPin(*methods->GetSendInitialMetadata());
    }
    if (is_at(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      Tell(methods->GetRecvInitialMetadata());
    }
    if (is_at(InterceptionHookPoints::POST_RECV_STATUS)) {
      Tell(methods->GetRecvTrailingMetadata());
    }
    methods->Proceed();
  }

 private:
  void AddPin(Sent& sent) {
    const ChannelOptions& options = shared_->options;
    if (!options.pass_on) sent.erase(ChainHeader(options.header));
    if (sent.contains(options.header)) return;
    const std::string pin = WantedPin(options, grpc_service_, sent);
    if (!pin.empty()) sent.emplace(options.header, Sendable(pin));
  }

  void Tell(const Metadata* said) {
    if (said == nullptr || told_) return;
    const auto response = ReadMetadata(*said, grpc_service_, shared_->options.header);
    told_ = response.has_value();
    if (response && response->notice) shared_->notices.Tell(*response->notice);
  }

  const std::shared_ptr<Shared> shared_;
  const std::string grpc_service_;
  bool told_ = false;
};

class Factory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit Factory(ChannelOptions options)
      : shared_(std::make_shared<Shared>(std::move(options))) {}

  // gRPC takes what this makes.
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* info) override {
    return std::make_unique<PinInterceptor>(shared_, GrpcServiceOf(info->method())).release();
  }

 private:
  const std::shared_ptr<Shared> shared_;
};

}  // namespace

std::shared_ptr<grpc::Channel> CreateChannel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    ChannelOptions options) {
  const grpc::ChannelArguments arguments = options.arguments;
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<Factory>(std::move(options)));
  return grpc::experimental::CreateCustomChannelWithInterceptors(target, credentials, arguments,
                                                                 std::move(factories));
}

void SetPin(const std::string& expression, grpc::ClientContext& context,
            const std::string& header) {
  context.AddMetadata(header, Sendable(expression));
}

}  // namespace pinion::client
