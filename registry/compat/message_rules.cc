// Rules about messages, and about fields that only one schema has.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/compat/element_rules.h"
#include "registry/compat/number_ranges.h"

namespace pinion::compat {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;

// By the label alone: an edition's LEGACY_REQUIRED is not looked at, as in buf.
bool HasRequiredLabel(const Message& message, int number) {
  const auto it = message.fields.find(number);
  return it != message.fields.end() &&
         it->second->proto->label() == FieldDescriptorProto::LABEL_REQUIRED;
}

// Calls `add` with each field whose number is gone.
template <typename Add>
void ForEachDeleted(const Pair<Message>& pair, Add add) {
  for (const auto& [number, field] : pair.before.fields) {
    if (!pair.now.fields.contains(number)) add(*field);
  }
}

}  // namespace

void MessageSameRequiredFields(const Pair<Message>& pair, Reporter& report) {
  for (const auto& [number, field] : pair.before.fields) {
    if (!HasRequiredLabel(pair.before, number) || HasRequiredLabel(pair.now, number)) continue;
    report.Add({*field, *pair.now.file}, PlaceOf(pair.now),
               absl::StrCat("required field ", number,
                            " is gone or not required any more: what is written without it, old "
                            "programs refuse to read"));
  }
  for (const auto& [number, field] : pair.now.fields) {
    if (!HasRequiredLabel(pair.now, number) || HasRequiredLabel(pair.before, number)) continue;
    report.AddAs(field->full_name, *pair.before.file, *pair.now.file, PlaceOf(*field),
                 absl::StrCat("field ", number,
                              " is now required: what old programs write without it, new ones "
                              "refuse to read"));
  }
}

void MessageSameJsonFormat(const Pair<Message>& pair, Reporter& report) {
  if (!pair.before.features.json_promised || pair.now.features.json_promised) return;
  SourcePath option = pair.now.path;
  option.insert(option.end(),
                {DescriptorProto::kOptionsFieldNumber, kMessageFeaturesNumber, kJsonFormatNumber});
  const auto place = PlaceOfOption(*pair.now.file, option, pair.now.path.size() + 2);
  report.Add({pair.before, *pair.now.file}, place ? place : PlaceOf(pair.now),
             "JSON was promised for this message and is best effort now: names may clash, and "
             "clients of its JSON form may break");
}

void FieldNoDeleteUnlessNumberReserved(const Pair<Message>& pair, Reporter& report) {
  const NumberSet reserved(ReservedRanges(*pair.now.proto));
  ForEachDeleted(pair, [&](const Field& field) {
    if (reserved.Contains(field.proto->number())) return;
    report.Add({field, *pair.now.file}, PlaceOf(pair.now),
               absl::StrCat("field ", field.proto->number(), " \"", field.proto->name(),
                            "\" was deleted and its number is free to be used for something else, "
                            "which old programs would misread"));
  });
}

void FieldNoDeleteUnlessNameReserved(const Pair<Message>& pair, Reporter& report) {
  const auto& reserved = pair.now.proto->reserved_name();
  ForEachDeleted(pair, [&](const Field& field) {
    if (std::find(reserved.begin(), reserved.end(), field.proto->name()) != reserved.end()) return;
    report.Add({field, *pair.now.file}, PlaceOf(pair.now),
               absl::StrCat("field ", field.proto->number(), " \"", field.proto->name(),
                            "\" was deleted and its name is free to be used for something else, "
                            "which old clients of the JSON form would misread"));
  });
}

}  // namespace pinion::compat
