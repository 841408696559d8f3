// Immutable map from (method, consumer, asked version) to one version of one service. Compiled by
// TableBuilder off the workers, posted to each of them, and read by all: every method is const and
// thread-safe. A call keeps the table it started with, so a change never splits one call. Finding a
// route takes at most four hash lookups and no allocation, whatever the number of pins.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/route/cow_records.h"
#include "gateway/route/cow_slots.h"
#include "gateway/route/entries.h"
#include "gateway/route/header_resolutions.h"
#include "gateway/route/method_path.h"
#include "gateway/route/refusal.h"

namespace pinion::route {

// Where the wanted expression came from, in order of precedence.
enum class Source { kHeader, kMethodPin, kServicePin, kDefaultChannel, kPackage, kUnpinnedPolicy };

// As in the `source` of a refusal: "api-version", "method-pin", "service-pin", "default-channel",
// "package", "unpinned-policy".
absl::string_view SourceName(Source source);

// What routing needs to know of a call. An empty `method.method` stands for the service as a whole
// (reflection): no method pins, no METHOD_NOT_IN_VERSION.
struct CallQuery {
  MethodPath method;
  const Consumer* consumer = nullptr;  // null: unregistered
  std::optional<absl::string_view> version_header;
  bool version_header_repeated = false;
  bool consumer_required = false;                         // by the listener
  absl::string_view version_header_name = "api-version";  // for messages
};

// Where a call goes. Pointers and views point into the table, and `asked` into the table or the
// query.
struct Route {
  const ServiceEntry* service = nullptr;
  const VersionEntry* version = nullptr;
  Source source = Source::kUnpinnedPolicy;
  absl::string_view asked;  // the expression
  bool propose_pin =
      false;  // pin_on_first_call: propose (consumer, service) → version->name to the registry
};

using Resolved = std::variant<Route, Refusal>;

class RouteTable {
 public:
  // A table without services: refuses every call.
  RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  // Decides where a call goes. `headers` belongs to the calling thread.
  Resolved Resolve(const CallQuery& query, HeaderResolutions& headers) const;

  // The same decision with each step told in a sentence; the last step is the result. Runs
  // Resolve's own code.
  std::vector<std::string> Explain(const CallQuery& query) const;

  // How soon streams of this call that run on another version than Resolve's must end; nullopt:
  // they may run to their end.
  std::optional<absl::Duration> Drain(const CallQuery& query) const;

  // A refusal for a call that has a route but cannot be served by it, with the call's variables as
  // metadata.
  static Refusal RefuseRoute(const Route& route, const Consumer* consumer, Reason reason,
                             absl::string_view message);

  // The consumer that owns an identity, exact bytes; nullopt: none does. Views into this table.
  std::optional<Consumer> FindConsumerByHeader(absl::string_view value) const;
  std::optional<Consumer> FindConsumerBySpiffe(absl::string_view uri) const;
  std::optional<Consumer> FindConsumerByDnsSan(absl::string_view name) const;
  std::optional<Consumer> FindConsumerByJwt(absl::string_view issuer,
                                            absl::string_view subject) const;
  // `sha256` in lower-case hex.
  std::optional<Consumer> FindConsumerByApiKey(absl::string_view sha256) const;

  // Null: not known.
  const ServiceEntry* FindService(absl::string_view name) const;
  const ServiceEntry* FindServiceOfGrpc(absl::string_view grpc_service) const;
  // All services, in no particular order.
  std::vector<const ServiceEntry*> Services() const;

  size_t pin_count() const { return pins_.size(); }
  size_t consumer_count() const { return consumer_count_; }
  // Different for each table that this process ever made; larger is later.
  uint64_t generation() const { return generation_; }

 private:
  friend class TableBuilder;
  friend class Decision;

  struct GrpcServiceEntry {
    uint32_t service = 0;
    std::string
        package_asks;  // `v2` of acme.v2.X for services with version_from_package; else empty
  };
  using GrpcIndex = absl::flat_hash_map<std::string, GrpcServiceEntry>;
  using NameIndex = absl::flat_hash_map<std::string, uint32_t>;

  std::optional<Consumer> FindConsumer(IdentityKind kind, absl::string_view value) const;
  Consumer ConsumerOf(uint32_t id) const;

  uint64_t generation_;
  size_t consumer_count_ = 0;
  std::vector<std::shared_ptr<const ServiceEntry>> services_;  // by id; null: gone
  std::shared_ptr<const GrpcIndex> grpc_services_;
  std::shared_ptr<const NameIndex> service_ids_;
  CowSlots<PinSlot> pins_;
  CowSlots<DrainSlot> drains_;
  CowSlots<IdentitySlot> identities_;
  CowRecords consumers_;         // name, default channel's number
  CowRecords identity_records_;  // kind and value, consumer's id
  std::shared_ptr<const std::vector<std::string>> channel_names_;
};

}  // namespace pinion::route
