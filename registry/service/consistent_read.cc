#include "registry/service/consistent_read.h"

#include <algorithm>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "registry/model/keys.h"
#include "registry/service/draft.h"

namespace pinion::service {
namespace {

// Whoever takes pairs away waits for the network in between; and of a registry that dies here the
// history stays for so long.
constexpr absl::Duration kHold = absl::Minutes(10);
constexpr absl::Duration kRenewal = absl::Minutes(1);

// A page of parts of blobs is some ten MiB; of small records there are as many as make a fraction
// of that.
constexpr size_t kPairsAtFirst = 32;
constexpr size_t kPairsMax = 4096;
constexpr size_t kSmallPageBytes = 256 * 1024;

struct HoldRequest {
  store::LeaseId lease = 0;
  absl::string_view command;
};
struct HoldResponse {};

absl::StatusOr<HoldResponse> Hold(Draft& draft, const HoldRequest& request) {
  registry::v1::HeldRevision held;
  held.set_since(draft.revision());
  draft.Put(model::HeldKey(NewId()), held, request.lease);
  if (request.command.empty()) {
    draft.AllowUnaudited();
  } else {
    draft.Audit(request.command, "", nullptr, nullptr);
  }
  return HoldResponse();
}

}  // namespace

ConsistentRead::ConsistentRead(Registry& registry)
    : registry_(registry), held_(registry.clock().Monotonic()) {}

absl::StatusOr<std::unique_ptr<ConsistentRead>> ConsistentRead::Begin(Registry& registry,
                                                                      const Caller& caller,
                                                                      absl::string_view command) {
  auto read = absl::WrapUnique(new ConsistentRead(registry));
  const absl::Status held = read->HoldBy(caller, command);
  // A full disk takes no record, and compacts nothing either: reading goes on all the same.
  if (absl::IsResourceExhausted(held)) {
    log::Warning("registry", absl::StrCat("the store is read by ", caller.actor,
                                          " without a record of it: ", held.message()));
  } else {
    RETURN_IF_ERROR(held);
  }
  read->revision_ = registry.store().revision();
  return read;
}

absl::Status ConsistentRead::HoldBy(const Caller& caller, absl::string_view command) {
  ASSIGN_OR_RETURN(lease_, registry_.store().GrantLease(kHold));
  return Run(registry_, Hold, caller, HoldRequest{lease_, command}).status();
}

ConsistentRead::~ConsistentRead() {
  if (lease_ == 0) return;
  // It would run out by itself.
  const absl::Status status = registry_.store().RevokeLease(lease_);
  if (!status.ok()) log::Debug("registry", std::string(status.message()));
}

absl::Status ConsistentRead::HoldOn() {
  const absl::Time now = registry_.clock().Monotonic();
  if (lease_ == 0 || now - held_ < kRenewal) return absl::OkStatus();
  held_ = now;
  return registry_.store().RenewLease(lease_).status();
}

absl::Status ConsistentRead::ForEach(
    store::KeyRange range, const std::function<absl::Status(const store::KeyValue&)>& visit) {
  size_t limit = kPairsAtFirst;
  while (true) {
    RETURN_IF_ERROR(HoldOn());
    ASSIGN_OR_RETURN(
        const store::RangeResult page,
        registry_.store().Range({.range = range, .revision = revision_, .limit = limit}));
    size_t bytes = 0;
    for (const store::KeyValue& kv : page.kvs) {
      bytes += kv.value.size();
      RETURN_IF_ERROR(visit(kv));
    }
    if (!page.more) return absl::OkStatus();
    range.key = page.kvs.back().key + '\0';
    limit = bytes < kSmallPageBytes ? std::min(2 * limit, kPairsMax) : kPairsAtFirst;
  }
}

absl::StatusOr<std::optional<store::Revision>> OldestHeld(store::Store& store) {
  ASSIGN_OR_RETURN(const store::RangeResult range,
                   store.Range({.range = store::KeyRange::Prefix(model::kHeld)}));
  ASSIGN_OR_RETURN(const auto held, DecodeAll<registry::v1::HeldRevision>(range.kvs));
  std::optional<store::Revision> oldest;
  for (const auto& record : held) {
    const store::Revision since = record.value.since();
    oldest = oldest.has_value() ? std::min(*oldest, since) : since;
  }
  return oldest;
}

}  // namespace pinion::service
