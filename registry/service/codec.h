// Records from and to the store's bytes. A record's revision is never among its bytes: it is the
// pair's.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "google/protobuf/timestamp.pb.h"
#include "registry/model/errors.h"
#include "registry/store/store.h"

namespace pinion::service {

template <typename Record>
struct Stored {
  Record value;
  store::Revision revision = 0;
  store::LeaseId lease = 0;
};

// Sets the revision of a record, or of the object that a response carries; nothing for records
// without one.
template <typename Record>
void SetRevision(Record& record, store::Revision revision) {
  if constexpr (requires { record.mutable_meta(); }) {
    if (record.has_meta()) record.mutable_meta()->set_revision(revision);
  } else if constexpr (requires { record.set_revision(revision); }) {
    record.set_revision(revision);
  } else if constexpr (requires { record.mutable_version()->mutable_meta(); }) {
    if (record.has_version()) SetRevision(*record.mutable_version(), revision);
  }
}

// The objects that a change has made carry no revision yet; this gives them the commit's.
template <typename Response>
void StampRevision(Response& response, store::Revision revision) {
  if constexpr (requires { response.mutable_meta(); }) {
    if (response.meta().revision() == 0) response.mutable_meta()->set_revision(revision);
  } else if constexpr (requires { response.mutable_pin(); }) {
    StampRevision(*response.mutable_pin(), revision);
  } else if constexpr (requires { response.mutable_instance(); }) {
    StampRevision(*response.mutable_instance(), revision);
  } else if constexpr (requires { response.mutable_channel(); }) {
    StampRevision(*response.mutable_channel(), revision);
  } else if constexpr (requires { response.mutable_entitlement(); }) {
    StampRevision(*response.mutable_entitlement(), revision);
  } else if constexpr (requires { response.mutable_version()->mutable_meta(); }) {
    StampRevision(*response.mutable_version(), revision);
  } else if constexpr (requires { response.mutable_grant(); }) {
    StampRevision(*response.mutable_grant(), revision);
  } else if constexpr (requires { response.mutable_token(); }) {
    StampRevision(*response.mutable_token(), revision);
  }
}

// DataLoss: the bytes are no such record.
template <typename Record>
absl::StatusOr<Stored<Record>> Decode(const store::KeyValue& kv) {
  Stored<Record> stored;
  if (!stored.value.ParseFromString(kv.value)) {
    return model::Damaged(kv.key);
  }
  stored.revision = kv.mod_revision;
  stored.lease = kv.lease;
  SetRevision(stored.value, kv.mod_revision);
  return stored;
}

template <typename Record>
absl::StatusOr<std::vector<Stored<Record>>> DecodeAll(const std::vector<store::KeyValue>& kvs) {
  std::vector<Stored<Record>> records;
  records.reserve(kvs.size());
  for (const store::KeyValue& kv : kvs) {
    ASSIGN_OR_RETURN(Stored<Record> record, Decode<Record>(kv));
    records.push_back(std::move(record));
  }
  return records;
}

google::protobuf::Timestamp ToTimestamp(absl::Time time);

}  // namespace pinion::service
