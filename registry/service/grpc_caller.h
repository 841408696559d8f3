// Who makes a gRPC call, from its context.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "registry/service/credentials.h"
#include "registry/service/gatekeeper.h"
#include "registry/service/registry.h"

namespace pinion::service {

// Request metadata that names who makes a change. Believed where nobody is authenticated, and not
// looked at elsewhere.
inline constexpr char kActorMetadata[] = "pinion-actor";

ShownCredentials ShownBy(const grpc::ServerContext& context);

// `gatekeeper` as for Gatekeeper::Admit(); null: everybody may do everything, and is who the
// metadata says, else where the call comes from. InvalidArgument: that says nobody.
absl::StatusOr<Caller> CallerOf(Gatekeeper* gatekeeper, const grpc::ServerContext& context,
                                const std::string& method,
                                const google::protobuf::Message& request);

// By that metadata, else by the peer.
absl::StatusOr<std::string> ClaimedActor(const grpc::ServerContext& context);

}  // namespace pinion::service
