// What a request is about, read from the store, for the rules of access/.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "registry/access/decision.h"
#include "registry/access/rules.h"
#include "registry/service/draft.h"

namespace pinion::service {

// `owner`: who a new object shall belong to. The commit holds only if the object and its owner are
// still these.
absl::StatusOr<access::Object> ObjectOf(Draft& draft, const access::Rule& rule,
                                        const google::protobuf::Message& request,
                                        const std::string& owner);

// Adds the consumers whose registered identities the caller's subjects are.
absl::Status AddConsumers(Draft& draft, access::Rights& rights);

}  // namespace pinion::service
