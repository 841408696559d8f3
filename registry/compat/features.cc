#include "registry/compat/features.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"

namespace pinion::compat {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr int kEditionNumber = 14;
constexpr int kEditionProto2 = 998;
constexpr int kEditionProto3 = 999;
constexpr int kEdition2023 = 1000;
constexpr int kEdition2024 = 1001;

constexpr int kFileFeaturesNumber = 50;
constexpr int kFieldFeaturesNumber = 21;
constexpr int kOneofFeaturesNumber = 1;

// Numbers and values of google.protobuf.FeatureSet.
constexpr int kFieldPresence = 1;
constexpr int kEnumType = 2;
constexpr uint64_t kEnumClosed = 2;
constexpr int kRepeatedFieldEncoding = 3;
constexpr uint64_t kExpanded = 2;
constexpr int kMessageEncoding = 5;
constexpr uint64_t kDelimited = 2;
constexpr uint64_t kJsonAllow = 1;

void Apply(const UnknownFieldSet& set, Features& features) {
  for (int i = 0; i < set.field_count(); ++i) {
    const UnknownField& field = set.field(i);
    if (field.type() != UnknownField::TYPE_VARINT || field.varint() == 0) continue;
    switch (field.number()) {
      case kFieldPresence:
        features.presence = static_cast<Features::Presence>(field.varint());
        break;
      case kEnumType:
        features.closed_enums = field.varint() == kEnumClosed;
        break;
      case kRepeatedFieldEncoding:
        features.expanded_repeated = field.varint() == kExpanded;
        break;
      case kMessageEncoding:
        features.delimited_messages = field.varint() == kDelimited;
        break;
      case kJsonFormatNumber:
        features.json_promised = field.varint() == kJsonAllow;
        break;
      default:
        break;
    }
  }
}

// A message field may come in several parts, which merge.
Features InheritFrom(Features features, const UnknownFieldSet& options, int number) {
  for (int i = 0; i < options.field_count(); ++i) {
    const UnknownField& field = options.field(i);
    if (field.number() != number || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    UnknownFieldSet set;
    if (set.ParseFromString(field.length_delimited())) Apply(set, features);
  }
  return features;
}

constexpr Features kProto2{.closed_enums = true, .expanded_repeated = true, .json_promised = false};
constexpr Features kProto3{.presence = Features::Presence::kImplicit};

absl::StatusOr<Features> OfEdition(const FileDescriptorProto& file) {
  uint64_t edition = 0;
  for (int i = 0; i < file.unknown_fields().field_count(); ++i) {
    const UnknownField& field = file.unknown_fields().field(i);
    if (field.number() == kEditionNumber && field.type() == UnknownField::TYPE_VARINT) {
      edition = field.varint();
    }
  }
  switch (edition) {
    case kEditionProto2:
      return kProto2;
    case kEditionProto3:
      return kProto3;
    case kEdition2023:
    case kEdition2024:
      return Features{};
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(file.name(), ": edition ", edition,
                       " is not known here (proto2, proto3, 2023 and 2024 are)"));
  }
}

}  // namespace

absl::StatusOr<Features> FileFeatures(const FileDescriptorProto& file) {
  if (file.syntax().empty() || file.syntax() == "proto2") return kProto2;
  if (file.syntax() == "proto3") return kProto3;
  if (file.syntax() != "editions") {
    return absl::InvalidArgumentError(absl::StrCat(file.name(), ": syntax \"",
                                                   absl::CHexEscape(file.syntax().substr(0, 80)),
                                                   "\" is not known here"));
  }
  absl::StatusOr<Features> features = OfEdition(file);
  if (!features.ok()) return features;
  return InheritFrom(*features, file.options().unknown_fields(), kFileFeaturesNumber);
}

Features Inherit(const Features& outer, const google::protobuf::MessageOptions& options) {
  return InheritFrom(outer, options.unknown_fields(), kMessageFeaturesNumber);
}

Features Inherit(const Features& outer, const google::protobuf::FieldOptions& options) {
  return InheritFrom(outer, options.unknown_fields(), kFieldFeaturesNumber);
}

Features Inherit(const Features& outer, const google::protobuf::EnumOptions& options) {
  return InheritFrom(outer, options.unknown_fields(), kEnumFeaturesNumber);
}

Features Inherit(const Features& outer, const google::protobuf::OneofOptions& options) {
  return InheritFrom(outer, options.unknown_fields(), kOneofFeaturesNumber);
}

}  // namespace pinion::compat
