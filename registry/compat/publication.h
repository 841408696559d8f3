// What publishing asks of a version's schema and name, beside the versions that are there: for the
// registry, and for who wants to know it before. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/compat/finding.h"
#include "registry/compat/waivers.h"
#include "registry/schema/schema.h"
#include "registry/version/version_name.h"

namespace pinion::compat {

// Of the service that `request` makes, if there is none of its name: as stated, or by the form of
// the version's name. InvalidArgument NAME_MALFORMED: that is of none.
absl::StatusOr<routing::v1::Scheme> SchemeOfNewService(
    const registry::v1::PublishVersionRequest& request);

// The version that `request` makes; `schema` is its descriptor set's, null: it has none.
routing::v1::Version AskedVersion(const registry::v1::PublishVersionRequest& request,
                                  const schema::Schema* schema);

// Those that it serves.
std::vector<std::string> GrpcServicesOf(const routing::v1::Version& version);

// OK: `there` was published as `asked` is. AlreadyExists VERSION_EXISTS: something else was.
// FailedPrecondition VERSION_RETIRED: it was, and is retired. REQUIRES: of one name.
absl::Status CheckIsSame(const registry::v1::Version& there, const routing::v1::Version& asked);

// Compares a new version with others of its service, the older of two being what clients know.
class SchemaGate {
 public:
  // `asked`, the new version, has `name` and `files`, which outlive the gate. REQUIRES: valid
  // waivers.
  SchemaGate(const routing::v1::Version& asked, version::VersionName name,
             const google::protobuf::FileDescriptorSet& files, std::vector<Waiver> waivers,
             absl::Time now);

  // Whether the two have to agree. Not with one that is retired or has no schema, nor where the
  // names say that they may differ (model::NamesDeclareBreak). InvalidArgument: its name is none.
  absl::StatusOr<bool> Concerns(const routing::v1::Version& other) const;
  // `descriptor_set`: the other's as published. InvalidArgument: it is none. ResourceExhausted
  // LIMIT_EXCEEDED: the two are too much to compare. REQUIRES: concerns.
  absl::Status Compare(const routing::v1::Version& other, absl::string_view descriptor_set);

  // OK: nothing breaks but what waivers cover. FailedPrecondition SCHEMA_BREAKS, with a
  // PreconditionFailure that lists the findings.
  absl::Status Verdict() const;
  // The waivers that were needed, one a line.
  const std::string& waived() const { return waived_; }

 private:
  struct Break {
    version::VersionName older;
    version::VersionName newer;
    Finding finding;
  };

  absl::Status Refusal() const;

  const std::string service_;
  const std::vector<std::string> grpc_services_;
  const version::VersionName name_;
  const google::protobuf::FileDescriptorSet& files_;
  const std::vector<Waiver> waivers_;
  const absl::Time now_;
  std::vector<Break> breaks_;
  std::string waived_;
};

}  // namespace pinion::compat
