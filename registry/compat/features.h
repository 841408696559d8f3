// What a file's syntax or edition says about its elements: which fields have presence, how messages
// are encoded, whether JSON is promised. Values; pure.
//
// Debian's protobuf knows no editions: `edition` and `features` arrive as unknown fields and are
// read from there. https://protobuf.dev/editions/features/
#pragma once

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.pb.h"

namespace pinion::compat {

struct Features {
  enum class Presence { kExplicit = 1, kImplicit = 2, kLegacyRequired = 3 };

  Presence presence = Presence::kExplicit;
  bool closed_enums = false;        // an unknown number is not this enum's: proto2's way
  bool expanded_repeated = false;   // repeated numbers are written one by one: proto2's default
  bool delimited_messages = false;  // fields of message type are encoded as groups
  bool json_promised = true;        // json_format ALLOW, not LEGACY_BEST_EFFORT
};

// Of a file, its options included. InvalidArgument: an edition or syntax that this program does not
// know; the message names the file.
absl::StatusOr<Features> FileFeatures(const google::protobuf::FileDescriptorProto& file);

// What an element inherits, changed by what its own options say. `Options` is one of
// descriptor.proto's.
Features Inherit(const Features& outer, const google::protobuf::MessageOptions& options);
Features Inherit(const Features& outer, const google::protobuf::FieldOptions& options);
Features Inherit(const Features& outer, const google::protobuf::EnumOptions& options);
Features Inherit(const Features& outer, const google::protobuf::OneofOptions& options);

// Numbers of `features` in the options, and of json_format in it: parts of a source path.
inline constexpr int kMessageFeaturesNumber = 12;
inline constexpr int kEnumFeaturesNumber = 7;
inline constexpr int kJsonFormatNumber = 6;

}  // namespace pinion::compat
