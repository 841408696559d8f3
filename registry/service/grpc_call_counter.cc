#include "registry/service/grpc_call_counter.h"

#include <grpcpp/support/status.h>

#include <string>

#include "absl/strings/strip.h"

namespace pinion::service {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

class Counter final : public Interceptor {
 public:
  Counter(CallCounts& counts, absl::string_view path)
      : counts_(counts), method_(absl::StripPrefix(path, "/")) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      counts_.Add(method_, methods->GetSendStatus().error_code());
    }
    methods->Proceed();
  }

 private:
  CallCounts& counts_;
  const std::string method_;
};

class Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(CallCounts& counts) : counts_(counts) {}

  Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return std::make_unique<Counter>(counts_, info->method()).release();  // gRPC deletes it
  }

 private:
  CallCounts& counts_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> CountCallsInto(
    CallCounts& counts) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<Factory>(counts));
  return factories;
}

}  // namespace pinion::service
