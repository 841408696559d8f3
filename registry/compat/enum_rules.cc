// Rules about enums and their values.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "registry/compat/element_rules.h"
#include "registry/compat/number_ranges.h"

namespace pinion::compat {
namespace {

using google::protobuf::EnumDescriptorProto;
using google::protobuf::EnumValueDescriptorProto;
using Values = std::vector<const EnumValueDescriptorProto*>;

std::string Names(const Values& values) {
  return absl::StrJoin(values, ", ", [](std::string* out, const EnumValueDescriptorProto* value) {
    absl::StrAppend(out, value->name());
  });
}

bool HasName(const Values& values, const std::string& name) {
  return std::any_of(values.begin(), values.end(),
                     [&name](const auto* value) { return value->name() == name; });
}

// Calls `add` with each number that is gone and the values that had it.
template <typename Add>
void ForEachDeleted(const Pair<Enum>& pair, Add add) {
  for (const auto& [number, values] : pair.before.values) {
    if (!pair.now.values.contains(number)) add(number, values);
  }
}

std::string ValueSymbol(const Enum& type, const EnumValueDescriptorProto& value) {
  return absl::StrCat(type.full_name, ".", value.name());
}

// Of a value that is gone: without source info it is placed in the file where it was.
std::optional<Place> PlaceOfDeletion(const Pair<Enum>& pair) {
  const auto place = PlaceOf(pair.now);
  return place ? place : Place{.file = pair.before.file, .line = 1, .column = 1};
}

}  // namespace

void EnumSameJsonFormat(const Pair<Enum>& pair, Reporter& report) {
  if (!pair.before.features.json_promised || pair.now.features.json_promised) return;
  SourcePath option = pair.now.path;
  option.insert(option.end(),
                {EnumDescriptorProto::kOptionsFieldNumber, kEnumFeaturesNumber, kJsonFormatNumber});
  const auto place = PlaceOfOption(*pair.now.file, option, pair.now.path.size() + 2);
  report.Add({pair.before, *pair.now.file}, place ? place : PlaceOf(pair.now),
             "JSON was promised for this enum and is best effort now: clients of its JSON form may "
             "break");
}

void EnumValueSameName(const Pair<Enum>& pair, Reporter& report) {
  for (const auto& [number, before] : pair.before.values) {
    const auto it = pair.now.values.find(number);
    if (it == pair.now.values.end()) continue;
    const Values& now = it->second;
    const auto lost = std::find_if(before.begin(), before.end(), [&now](const auto* value) {
      return !HasName(now, value->name());
    });
    if (lost == before.end()) continue;
    for (int i = 0; i < pair.now.proto->value_size(); ++i) {
      if (pair.now.proto->value(i).number() != number) continue;
      SourcePath path = pair.now.path;
      path.insert(path.end(), {EnumDescriptorProto::kValueFieldNumber, i,
                               EnumValueDescriptorProto::kNumberFieldNumber});
      report.AddAs(
          ValueSymbol(pair.before, **lost), *pair.before.file, *pair.now.file,
          PlaceAt(*pair.now.file, path),
          absl::StrCat("number ", number, " was called ", Names(before), " and is now ", Names(now),
                       ": JSON written with an old name is not read any more"));
    }
  }
}

void EnumValueNoDeleteUnlessNumberReserved(const Pair<Enum>& pair, Reporter& report) {
  const NumberSet reserved(ReservedRanges(*pair.now.proto));
  ForEachDeleted(pair, [&](int number, const Values& values) {
    if (reserved.Contains(number)) return;
    report.AddAs(ValueSymbol(pair.before, *values.front()), *pair.before.file, *pair.now.file,
                 PlaceOfDeletion(pair),
                 absl::StrCat("value ", number, " (", Names(values),
                              ") was deleted and its number is free to be used for something "
                              "else, which old programs would misread"));
  });
}

void EnumValueNoDeleteUnlessNameReserved(const Pair<Enum>& pair, Reporter& report) {
  const auto& reserved = pair.now.proto->reserved_name();
  ForEachDeleted(pair, [&](int number, const Values& values) {
    const auto is_reserved = [&reserved](const auto* value) {
      return std::find(reserved.begin(), reserved.end(), value->name()) != reserved.end();
    };
    if (std::all_of(values.begin(), values.end(), is_reserved)) return;
    report.AddAs(ValueSymbol(pair.before, *values.front()), *pair.before.file, *pair.now.file,
                 PlaceOfDeletion(pair),
                 absl::StrCat("value ", number, " (", Names(values),
                              ") was deleted and not all of its names are reserved: used again, "
                              "old clients of the JSON form would misread them"));
  });
}

}  // namespace pinion::compat
