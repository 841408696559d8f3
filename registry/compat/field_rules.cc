// Rules about fields that both schemas have, extensions included.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/compat/element_rules.h"
#include "registry/compat/field_default.h"
#include "registry/compat/field_kinds.h"

namespace pinion::compat {
namespace {

using google::protobuf::FieldDescriptorProto;

// By the short name, and by all old values being among the new ones: then one is a copy of the
// other.
bool IsCopyOf(const Enum& now, const Enum& before) {
  if (now.proto->name() != before.proto->name()) return false;
  const auto& values = now.proto->value();
  return std::all_of(before.proto->value().begin(), before.proto->value().end(),
                     [&values](const auto& old) {
                       return std::any_of(values.begin(), values.end(), [&old](const auto& value) {
                         return value.name() == old.name() && value.number() == old.number();
                       });
                     });
}

void ReportType(const Pair<Field>& pair, Reporter& report, absl::string_view consequence) {
  report.Add({pair.before, *pair.now.file}, PlaceOfType(pair.now),
             absl::StrCat("field ", pair.now.proto->number(), " was ", TypeText(pair.before),
                          " and is now ", TypeText(pair.now), ": ", consequence));
}

// Types with names, of the same kind.
void CheckTypeName(const Pair<Field>& pair, Reporter& report) {
  if (pair.before.type_name() == pair.now.type_name()) return;
  if (pair.now.kind == FieldDescriptorProto::TYPE_ENUM) {
    const Enum* before = pair.all_before.FindEnum(pair.before.type_name());
    const Enum* now = pair.all_now.FindEnum(pair.now.type_name());
    if (before != nullptr && now != nullptr && IsCopyOf(*now, *before)) return;
  }
  ReportType(pair, report, "what one side writes, the other reads as another type");
}

// The field as both sides see it in its message: entries of maps have no cardinality of their own.
bool BothInMaps(const Pair<Field>& pair) {
  return pair.before.parent != nullptr && pair.before.parent->is_map_entry() &&
         pair.now.parent != nullptr && pair.now.parent->is_map_entry();
}

void CheckCardinality(const Pair<Field>& pair, Reporter& report, int (*group)(Cardinality)) {
  if (BothInMaps(pair)) return;
  if (group(pair.before.cardinality) == group(pair.now.cardinality)) return;
  report.Add({pair.before, *pair.now.file}, PlaceOf(pair.now),
             absl::StrCat("field ", pair.now.proto->number(), " was ",
                          CardinalityText(pair.before.cardinality), " and is now ",
                          CardinalityText(pair.now.cardinality),
                          ": what one side writes, the other drops, cuts short or refuses"));
}

}  // namespace

void FieldSameDefault(const Pair<Field>& pair, Reporter& report) {
  if (!CanHaveDefault(pair.before) || !CanHaveDefault(pair.now)) return;
  const FieldDefault before = DefaultOf(pair.before, pair.all_before);
  const FieldDefault now = DefaultOf(pair.now, pair.all_now);
  if ((before.is_zero() && now.is_zero()) || SameDefault(before, now)) return;
  const auto place = PlaceOfPart(pair.now, FieldDescriptorProto::kDefaultValueFieldNumber);
  report.Add({pair.before, *pair.now.file}, place ? place : PlaceOf(pair.now),
             absl::StrCat("field ", pair.now.proto->number(), " when absent was ",
                          DefaultText(before), " and is now ", DefaultText(now),
                          ": old and new programs read the same bytes as different values"));
}

void FieldSameOneof(const Pair<Field>& pair, Reporter& report) {
  if (pair.before.is_extension() || pair.before.oneof == pair.now.oneof) return;
  const auto text = [](absl::string_view oneof) {
    return oneof.empty() ? std::string("in no oneof") : absl::StrCat("in oneof ", oneof);
  };
  report.Add({pair.before, *pair.now.file}, PlaceOf(pair.now),
             absl::StrCat("field ", pair.now.proto->number(), " was ", text(pair.before.oneof),
                          " and is now ", text(pair.now.oneof),
                          ": one side sets it together with others, the other keeps only the last "
                          "of them"));
}

void FieldSameName(const Pair<Field>& pair, Reporter& report) {
  const bool extension = pair.before.is_extension();
  const std::string& before = extension ? pair.before.full_name : pair.before.proto->name();
  const std::string& now = extension ? pair.now.full_name : pair.now.proto->name();
  if (before == now) return;
  report.Add(
      {pair.before, *pair.now.file}, PlaceOfName(pair.now),
      absl::StrCat("field ", pair.now.proto->number(), " was called ", before, " and is now ", now,
                   ": JSON and text forms written with the old name are not read any more"));
}

void FieldSameJsonName(const Pair<Field>& pair, Reporter& report) {
  if (pair.before.is_extension()) return;
  const std::string before = JsonNameOf(pair.before);
  const std::string now = JsonNameOf(pair.now);
  if (before == now) return;
  const auto place = PlaceOfPart(pair.now, FieldDescriptorProto::kJsonNameFieldNumber);
  report.Add({pair.before, *pair.now.file}, place ? place : PlaceOf(pair.now),
             absl::StrCat("field ", pair.now.proto->number(), " was \"", before,
                          "\" in JSON and is now \"", now,
                          "\": JSON written with the old name is not read any more"));
}

void FieldWireCompatibleCardinality(const Pair<Field>& pair, Reporter& report) {
  CheckCardinality(pair, report, WireGroup);
}

void FieldWireJsonCompatibleCardinality(const Pair<Field>& pair, Reporter& report) {
  CheckCardinality(pair, report, WireJsonGroup);
}

void FieldWireCompatibleType(const Pair<Field>& pair, Reporter& report) {
  if (WireGroup(pair.before.kind) == WireGroup(pair.now.kind)) return CheckTypeName(pair, report);
  const bool bytes_now = pair.now.kind == FieldDescriptorProto::TYPE_BYTES;
  if (pair.before.kind == FieldDescriptorProto::TYPE_STRING && bytes_now) return;
  ReportType(pair, report, "the bytes of one are not the bytes of the other");
}

void FieldWireJsonCompatibleType(const Pair<Field>& pair, Reporter& report) {
  if (WireJsonGroup(pair.before.kind) == WireJsonGroup(pair.now.kind)) {
    return CheckTypeName(pair, report);
  }
  ReportType(pair, report, "the bytes, or the JSON form, of one are not those of the other");
}

}  // namespace pinion::compat
