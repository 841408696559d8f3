#include "gateway/builtin/health.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/builtin/caller_view.h"
#include "gateway/route/refusal.h"
#include "grpc/health/v1/health.pb.h"

namespace pinion::builtin {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Status = HealthCheckResponse::ServingStatus;

Status StatusOf(const Context& context, const std::string& name) {
  const auto serving = [](bool yes) {
    return yes ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  };
  if (name.empty()) return serving(context.table->has_services());
  if (IsBuiltin(name)) return HealthCheckResponse::SERVING;
  if (context.table->FindServiceOfGrpc(name) == nullptr)
    return HealthCheckResponse::SERVICE_UNKNOWN;
  const route::VersionEntry* version = CallerView(context).VersionFor(name);
  return serving(version != nullptr && !version->instances->empty());
}

absl::Cord Encode(Status status) {
  HealthCheckResponse response;
  response.set_status(status);
  return absl::Cord(response.SerializeAsString());
}

std::optional<std::string> NameAskedFor(absl::string_view message) {
  HealthCheckRequest request;
  if (!request.ParseFromArray(message.data(), static_cast<int>(message.size())))
    return std::nullopt;
  return request.service();
}

absl::Status Malformed() {
  return absl::InvalidArgumentError("not a grpc.health.v1.HealthCheckRequest");
}

class CheckCall final : public Call {
 public:
  CheckCall(Context context, Sink& sink) : context_(std::move(context)), sink_(sink) {}

  void OnMessage(absl::string_view message) override {
    const std::optional<std::string> name = NameAskedFor(message);
    if (!name.has_value()) return sink_.End(Malformed());
    const Status status = StatusOf(context_, *name);
    if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
      return sink_.End(absl::NotFoundError(
          absl::StrCat("no service here claims the gRPC service '", route::Printable(*name), "'")));
    }
    sink_.Send(Encode(status), 0);
    sink_.End(absl::OkStatus());
  }

  void OnHalfClose() override { sink_.End(Malformed()); }

 private:
  Context context_;
  Sink& sink_;
};

class WatchCall final : public Call {
 public:
  WatchCall(Context context, Sink& sink) : context_(std::move(context)), sink_(sink) {}

  void OnMessage(absl::string_view message) override {
    name_ = NameAskedFor(message);
    if (!name_.has_value()) return sink_.End(Malformed());
    Tell();
  }

  // A watch goes on until the caller goes away.
  void OnHalfClose() override {
    if (!name_.has_value()) sink_.End(Malformed());
  }

  void OnTable(const std::shared_ptr<const route::RouteTable>& table) override {
    context_.table = table;
    if (name_.has_value()) Tell();
  }

 private:
  void Tell() {
    const Status status = StatusOf(context_, *name_);
    if (told_ == status) return;
    told_ = status;
    sink_.Send(Encode(status), 0);
  }

  Context context_;
  Sink& sink_;
  std::optional<std::string> name_;
  std::optional<Status> told_;
};

}  // namespace

std::unique_ptr<Call> HealthCheck(Context context, Sink& sink) {
  return std::make_unique<CheckCall>(std::move(context), sink);
}

std::unique_ptr<Call> HealthWatch(Context context, Sink& sink) {
  return std::make_unique<WatchCall>(std::move(context), sink);
}

}  // namespace pinion::builtin
