#include "registry/service/registry.h"

#include <algorithm>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/store_format.h"

namespace pinion::service {

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

std::string NewId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) absl::StrAppend(&id, absl::Hex(random(), absl::kZeroPad8));
  return id;
}

Registry::Registry(store::Store& store, const Clock& clock, const RegistryOptions& options)
    : store_(store), clock_(clock), start_time_(clock.Wall()), options_(options) {}

absl::StatusOr<std::unique_ptr<Registry>> Registry::Open(store::Store& store, const Clock& clock,
                                                         const RegistryOptions& options) {
  std::unique_ptr<Registry> registry(new Registry(store, clock, options));
  RETURN_IF_ERROR(registry->LoadIdentity());
  RETURN_IF_ERROR(registry->LoadLastAuditId());
  return registry;
}

absl::StatusOr<std::unique_ptr<Registry>> Registry::OfRestore(store::Store& store,
                                                              const Clock& clock) {
  std::unique_ptr<Registry> registry(new Registry(store, clock, {}));
  RETURN_IF_ERROR(registry->LoadFormat());
  RETURN_IF_ERROR(registry->LoadLastAuditId());
  return registry;
}

absl::Status Registry::LoadIdentity() {
  registry::v1::RegistryIdentity identity;
  identity.set_id(NewId());
  *identity.mutable_create_time() = ToTimestamp(clock_.Wall());
  // Whoever comes second, of several registries on one store, takes the first one's.
  ASSIGN_OR_RETURN(
      store::TxnResult result,
      store_.Commit(
          {.compares = {store::Compare::Absent(model::kRegistryKey),
                        store::Compare::Absent(model::kRestoringKey)},
           .then = {store::Put{model::kRegistryKey, identity.SerializeAsString()},
                    store::Put{model::kFormatKey, model::FormatOfNewStores().SerializeAsString()}},
           .otherwise = {store::Get{model::kRegistryKey}, store::Get{model::kRestoringKey}}}));
  if (!result.succeeded) {
    if (result.results.at(1).has_value()) {
      return absl::FailedPreconditionError(
          absl::StrCat("a restore into the store (", store_.Describe(),
                       ") was not finished, so it holds a part of a backup: empty it, or delete "
                       "its file, and run `pinion restore` again"));
    }
    ASSIGN_OR_RETURN(const Stored<registry::v1::RegistryIdentity> stored,
                     Decode<registry::v1::RegistryIdentity>(*result.results.at(0)));
    identity = stored.value;
  }
  id_ = identity.id();
  return LoadFormat();
}

absl::Status Registry::LoadFormat() {
  ASSIGN_OR_RETURN(const store::RangeResult range,
                   store_.Range({.range = store::KeyRange::Single(model::kFormatKey)}));
  AuditChains::Format format{.value = model::FormatWithoutRecord()};
  if (!range.kvs.empty()) {
    ASSIGN_OR_RETURN(auto stored, Decode<registry::v1::StoreFormat>(range.kvs[0]));
    format = {std::move(stored.value), stored.revision};
  }
  RETURN_IF_ERROR(model::CheckReadable(format.value));
  audit_chains_.SetFormat(std::move(format));
  return absl::OkStatus();
}

absl::Status Registry::LoadLastAuditId() {
  ASSIGN_OR_RETURN(const store::RangeResult newest,
                   store_.Range({.range = store::KeyRange::Prefix(model::kAudit),
                                 .limit = 1,
                                 .descending = true,
                                 .keys_only = true}));
  MutexLock lock(&mutex_);
  if (!newest.kvs.empty()) {
    const std::string id = newest.kvs[0].key.substr(absl::string_view(model::kAudit).size());
    if (!absl::SimpleAtoi(id, &last_audit_id_)) {
      return model::Damaged(newest.kvs[0].key);
    }
  }
  return absl::OkStatus();
}

std::string Registry::NextAuditId(absl::string_view after) {
  int64_t last = 0;
  (void)absl::SimpleAtoi(after, &last);  // empty: nothing
  MutexLock lock(&mutex_);
  last_audit_id_ = std::max({last_audit_id_ + 1, last + 1, absl::ToUnixMicros(clock_.Wall())});
  return absl::StrFormat("%020d", last_audit_id_);
}

}  // namespace pinion::service
