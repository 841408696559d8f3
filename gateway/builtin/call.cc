#include "gateway/builtin/call.h"

#include <utility>

#include "absl/strings/match.h"
#include "gateway/builtin/health.h"
#include "gateway/builtin/reflection.h"

namespace pinion::builtin {
namespace {

constexpr absl::string_view kHealth = "grpc.health.v1.Health";
constexpr absl::string_view kReflection = "grpc.reflection.v1.ServerReflection";
// The same messages under an older name, which many tools still ask first.
constexpr absl::string_view kReflectionAlpha = "grpc.reflection.v1alpha.ServerReflection";

}  // namespace

bool IsBuiltin(absl::string_view grpc_service) {
  if (!absl::StartsWith(grpc_service, "grpc.")) return false;
  return grpc_service == kHealth || grpc_service == kReflection || grpc_service == kReflectionAlpha;
}

bool IsHealth(absl::string_view grpc_service) { return grpc_service == kHealth; }

std::unique_ptr<Call> Start(const route::MethodPath& method, Context context, Sink& sink) {
  if (method.grpc_service == kHealth) {
    if (method.method == "Check") return HealthCheck(std::move(context), sink);
    if (method.method == "Watch") return HealthWatch(std::move(context), sink);
    return nullptr;
  }
  return method.method == "ServerReflectionInfo" ? Reflection(std::move(context), sink) : nullptr;
}

}  // namespace pinion::builtin
