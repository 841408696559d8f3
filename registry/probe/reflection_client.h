// Server reflection (v1, else v1alpha, which has the same bytes) as an instance's client. Internal
// to this folder.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.pb.h"
#include "registry/probe/contact.h"

namespace pinion::probe {

// The files that declare `grpc_services`, as far as the instance knows these, and all that they
// import; a whole set. Unimplemented: it offers no reflection, or not to us. Other errors: what it
// sends cannot be taken (not whole, contradictory, too much), or it stopped answering. Messages are
// clauses.
absl::StatusOr<google::protobuf::FileDescriptorSet> AskSchema(
    const Contact& contact, const std::vector<std::string>& grpc_services);

}  // namespace pinion::probe
