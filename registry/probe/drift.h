// The schema that an instance shows by reflection, beside the one that was published. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.pb.h"
#include "registry/schema/schema.h"

namespace pinion::probe {

// The SchemaDigest of `services` in `shown`; nullopt: one of them is not in it. REQUIRES: `shown`
// is whole (schema::CheckFiles).
std::optional<std::string> ShownDigest(const google::protobuf::FileDescriptorSet& shown,
                                       const std::vector<std::string>& services);

// More than these nobody reads.
inline constexpr size_t kMaxDifferences = 100;

// What `shown` lacks of the gRPC services of `published` and of all types that their methods hold,
// however deep, or has otherwise; each a clause, "method /acme.AddressBook/Search is missing".
// Empty: it has all of that. What it has besides, and options and comments, are no difference;
// extensions are not compared. InvalidArgument: one of the two uses what this program does not know
// (an edition). REQUIRES: `shown` is whole.
absl::StatusOr<std::vector<std::string>> Differences(
    const schema::Schema& published, const google::protobuf::FileDescriptorSet& shown);

// The first of them, and how many there are besides; for a sentence. Empty for none.
std::string DifferencesText(const std::vector<std::string>& differences);

}  // namespace pinion::probe
