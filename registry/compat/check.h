// Two schemas of one service, old and new: what is no longer compatible. Pure.
//
//   bytes ─▶ schema::ReadFiles ─▶ Elements (old, new) ─▶ pairs ─▶ rules ─▶ findings, sorted
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.pb.h"
#include "registry/compat/finding.h"

namespace pinion::compat {

// kPinion asks what breaks between old clients and the new server (api_check.h).
// kWire and kWireJson are buf's, rule for rule: whether the binary form, or that and the JSON form,
// is read as it was written. Pairs are made by name: files by path; messages, enums and services by
// full name, wherever they are; fields, enum values and extensions by number; methods by name.
enum class Category { kWire, kWireJson, kPinion };

std::optional<Category> ParseCategory(absl::string_view name);

// The gRPC services, by full name, that two versions serve: not always all that their schemas hold.
struct Served {
  std::vector<std::string> before;
  std::vector<std::string> now;
};

struct CheckOptions {
  // Nothing is promised of packages like acme.v1alpha1, acme.v1p1beta2 or acme.v1test: what changes
  // in one is no finding. The old schema's package counts.
  bool ignore_unstable_packages = false;
  // kPinion: what callers know, wherever it is declared. Nullopt: schema::ServedByDefault, of the
  // old ones those that are not imported.
  std::optional<Served> served;
};

// REQUIRES: both sets are whole (schema::ReadFiles). Files that buf marks as imports, and
// protobuf's own, are not compared. InvalidArgument, naming the element: a set that contradicts
// itself, or an edition that this program does not know. ResourceExhausted: more than a comparison
// may cost, which is neither compatible nor not.
absl::StatusOr<std::vector<Finding>> Check(const google::protobuf::FileDescriptorSet& before,
                                           const google::protobuf::FileDescriptorSet& now,
                                           Category category, const CheckOptions& options = {});

}  // namespace pinion::compat
