// A running call to a service that belongs to the gateway itself: health and reflection. PURE:
// messages in, messages out. Owned by proxy's exchange; the worker's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "gateway/route/method_path.h"
#include "gateway/route/route_table.h"

namespace pinion::builtin {

// Where the answers go.
class Sink {
 public:
  // `shared_bytes` of it stay where they are, in a schema, until they are sent.
  virtual void Send(absl::Cord message, size_t shared_bytes) = 0;
  // Whether the table's services may be looked at one by one, so many of them. False: not now,
  // since that was asked for too often.
  [[nodiscard]] virtual bool MayLook(size_t services) = 0;
  // The last word; nothing may be sent after it.
  virtual void End(const absl::Status& status) = 0;

 protected:
  ~Sink() = default;
};

class Call {
 public:
  virtual ~Call() = default;
  virtual void OnMessage(absl::string_view message) = 0;
  // The caller sends no more. Never after End().
  virtual void OnHalfClose() = 0;
  // Another route table is in force.
  virtual void OnTable(const std::shared_ptr<const route::RouteTable>& /*table*/) {}
};

// Who asks, and what he would get.
struct Context {
  std::shared_ptr<const route::RouteTable> table;
  // What names him; empty: nothing does.
  std::string identity = {};
  route::IdentityKind identity_kind = route::IdentityKind::kHeader;
  bool consumer_required = false;  // by the listener
};

// The gateway answers for this gRPC service itself.
bool IsBuiltin(absl::string_view grpc_service);

// The answers of this one do not need the caller to be known: whether the gateway is ready.
bool IsHealth(absl::string_view grpc_service);

// Null: the service is the gateway's, but has no such method. `sink` outlives the call.
std::unique_ptr<Call> Start(const route::MethodPath& method, Context context, Sink& sink);

}  // namespace pinion::builtin
