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
#include "gateway/route/consumer_index.h"
#include "gateway/route/cow_list.h"
#include "gateway/route/cow_slots.h"
#include "gateway/route/entries.h"
#include "gateway/route/header_resolutions.h"
#include "gateway/route/method_path.h"
#include "gateway/route/refusal.h"
#include "gateway/route/schema.h"
#include "gateway/route/slots.h"

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

// Where a call goes. Valid as long as the table, and with Source::kHeader, `asked` as long as the
// query's header.
struct Route {
  const ServiceEntry* service = nullptr;
  const VersionEntry* version = nullptr;
  uint16_t method = 0;  // its number in ServiceEntry::methods; 0: not there
  Source source = Source::kUnpinnedPolicy;
  absl::string_view asked;  // the expression
  bool propose_pin =
      false;  // pin_on_first_call: propose (consumer, service) → version->name to the registry
};

using Resolved = std::variant<Route, Refusal>;

class RouteTable {
 public:
  // A table without services: refuses every call. Others come from TableBuilder.
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

  // The consumer that owns an identity, exact bytes: a DNS name in lower case, a token's as
  // JwtIdentity() makes it, an API key's SHA-256 in lower-case hex. Nullopt: none does. Views into
  // this table.
  std::optional<Consumer> FindConsumer(IdentityKind kind, absl::string_view value) const {
    return kind == IdentityKind::kHeader ? consumers_.FindByHeader(value)
                                         : consumers_.Find(kind, value);
  }
  std::optional<Consumer> FindConsumerByHeader(absl::string_view value) const {
    return consumers_.FindByHeader(value);
  }

  // Null: not known.
  const ServiceEntry* FindService(absl::string_view name) const;
  const ServiceEntry* FindServiceOfGrpc(absl::string_view grpc_service) const;
  // Of the versions with this digest, with all imports; null: not known here.
  const Schema* FindSchema(absl::string_view digest) const;
  // All services, in no particular order.
  std::vector<const ServiceEntry*> Services() const;
  bool has_services() const { return !service_ids_->empty(); }

  // Whether Drain() could say anything at all.
  bool has_drains() const { return drains_.size() > 0; }
  size_t pin_count() const { return pins_.size(); }
  // What pins and consumers occupy, shared with other tables or not.
  size_t PinMemoryBytes() const { return pins_.MemoryBytes() + drains_.MemoryBytes(); }
  size_t ConsumerMemoryBytes() const { return consumers_.MemoryBytes(); }
  size_t consumer_count() const { return consumers_.size(); }
  // How many pieces of memory (pages, groups of pages, entries of indexes) this table does not
  // share with `before`; for tests.
  size_t CopiedSince(const RouteTable& before) const;
  // Different for each table that this process ever made; larger is later.
  uint64_t generation() const { return generation_; }

 private:
  friend class TableBuilder;
  friend class Decision;

  // By its id. Null: gone.
  const ServiceEntry* ServiceOf(uint32_t id) const {
    const auto* entry = services_.Find(id);
    return entry == nullptr ? nullptr : entry->get();
  }

  struct GrpcServiceEntry {
    uint32_t service = 0;   // its id
    uint32_t position = 0;  // in ServiceEntry::grpc_services
  };
  using GrpcIndex = absl::flat_hash_map<std::string, GrpcServiceEntry>;
  using NameIndex = absl::flat_hash_map<std::string, uint32_t>;
  using SchemaIndex = absl::flat_hash_map<std::string, std::shared_ptr<const Schema>>;

  uint64_t generation_;
  CowList<std::shared_ptr<const ServiceEntry>> services_;  // by id; null: gone
  std::shared_ptr<const GrpcIndex> grpc_services_;
  std::shared_ptr<const NameIndex> service_ids_;
  std::shared_ptr<const SchemaIndex> schemas_;
  CowSlots<PinSlot> pins_;
  CowSlots<DrainSlot> drains_;
  ConsumerIndex consumers_;
};

}  // namespace pinion::route
