#include "registry/service/grpc_caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"

namespace pinion::service {
namespace {

constexpr char kUnixPeer[] = "unix:";

std::string Text(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// "ipv4:127.0.0.1:40312" without the port, which says nothing about who it is.
std::string DescribePeer(const std::string& peer) {
  if (absl::StartsWith(peer, kUnixPeer)) return "unix";
  const size_t colon = peer.rfind(':');
  return colon == std::string::npos ? peer : peer.substr(0, colon);
}

}  // namespace

ShownCredentials ShownBy(const grpc::ServerContext& context) {
  ShownCredentials shown;
  shown.local = absl::StartsWith(context.peer(), kUnixPeer);
  const auto& metadata = context.client_metadata();
  const auto [begin, end] = metadata.equal_range("authorization");
  for (auto it = begin; it != end; ++it) shown.authorization.push_back(Text(it->second));
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr) return shown;
  const std::vector<grpc::string_ref> certificates =
      auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (!certificates.empty()) shown.certificate = Text(certificates.front());
  return shown;
}

absl::StatusOr<std::string> ClaimedActor(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find(kActorMetadata);
  if (it == metadata.end() || it->second.empty()) return DescribePeer(context.peer());
  std::string actor = Text(it->second);
  const bool printable = std::all_of(actor.begin(), actor.end(),
                                     [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  if (!printable || actor.size() > model::kMaxActorBytes) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                          absl::StrCat(kActorMetadata, " must be at most ", model::kMaxActorBytes,
                                       " printable ASCII characters"));
  }
  return actor;
}

absl::StatusOr<Caller> CallerOf(Gatekeeper* gatekeeper, const grpc::ServerContext& context,
                                const std::string& method,
                                const google::protobuf::Message& request) {
  if (gatekeeper != nullptr) return gatekeeper->Admit(ShownBy(context), method, request);
  ASSIGN_OR_RETURN(std::string actor, ClaimedActor(context));
  return Caller{.actor = std::move(actor)};
}

}  // namespace pinion::service
