#include "registry/compat/exchange.h"

#include <climits>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "registry/compat/field_default.h"
#include "registry/compat/field_kinds.h"
#include "registry/compat/number_ranges.h"
#include "registry/compat/value_reading.h"

namespace pinion::compat {
namespace {

using google::protobuf::FieldDescriptorProto;

std::string NotAllReserved(const NumberRange& range) {
  return absl::StrCat("numbers ", RangeText(range), " are not all reserved any more");
}

size_t StepsOf(const Message& message) {
  return message.fields.size() + static_cast<size_t>(message.proto->reserved_range_size());
}

size_t StepsOf(const Enum& type) {
  return static_cast<size_t>(type.proto->value_size() + type.proto->reserved_range_size());
}

bool IsRequired(const Field& field) { return field.cardinality == Cardinality::kRequired; }

// Extensions of `message`, by number.
auto ExtensionsOf(const Elements& elements, const Message& message) {
  const auto& all = elements.extensions();
  const absl::string_view name = message.full_name;
  return std::pair(all.lower_bound({name, 0}), all.upper_bound({name, INT_MAX}));
}

// Field or extension: bytes are the same.
const Field* FindNumber(const Elements& elements, const Message& message, int number) {
  if (const auto it = message.fields.find(number); it != message.fields.end()) return it->second;
  const auto it = elements.extensions().find({message.full_name, number});
  return it == elements.extensions().end() ? nullptr : it->second;
}

}  // namespace

std::string Travels(absl::string_view before, absl::string_view now, Direction direction) {
  return direction == Direction::kRequest
             ? absl::StrCat("old clients send ", before, ", the new server reads ", now)
             : absl::StrCat("the new server sends ", now, ", old clients read ", before);
}

bool MeansSomethingElse(const Message& before, const Message& now) {
  const auto is_empty = [](const Message& type) {
    return type.full_name == "google.protobuf.Empty";
  };
  const auto means_more = [](const Message& type) {
    return type.file->is_well_known && type.file->proto->name() != "google/protobuf/wrappers.proto";
  };
  return before.full_name != now.full_name && !is_empty(before) && !is_empty(now) &&
         (means_more(before) || means_more(now));
}

void Exchange::CompareMessages(const Message& before, const Message& now, Direction direction) {
  open_.push_back({&before, &now, direction});
  Finish();
}

bool Exchange::Spend(size_t steps) {
  steps_ += steps;
  return !is_too_large();
}

void Exchange::Finish() {
  while (!open_.empty()) {
    const Open next = open_.back();
    open_.pop_back();
    if (!done_.emplace(next.before, next.now, next.direction).second) continue;
    if (!Spend(kStepsOfPair + StepsOf(*next.before) + StepsOf(*next.now))) return open_.clear();
    compared_.insert(next.before);
    CompareOne(*next.before, *next.now, next.direction);
  }
}

void Exchange::CompareOne(const Message& before, const Message& now, Direction direction) {
  // Protobuf's own types are the same everywhere.
  if (before.file->is_well_known && before.full_name == now.full_name) return;
  const NumberSet reserved(ReservedRanges(*now.proto));
  for (const auto& [number, field] : before.fields) {
    if (const Field* other = FindNumber(now_, now, number)) {
      CompareFields(*field, *other, direction);
    } else {
      CompareDeleted(*field, now, reserved, direction);
    }
  }
  // One that is gone leaves its number in the message's extension range.
  for (auto [it, end] = ExtensionsOf(before_, before); it != end && Spend(1); ++it) {
    const Field* other = FindNumber(now_, now, it->first.second);
    if (other != nullptr && !it->second->file->is_exempt)
      CompareFields(*it->second, *other, direction);
  }
  for (const auto& [number, field] : now.fields) {
    if (!IsRequired(*field) || direction == Direction::kResponse) continue;
    if (FindNumber(before_, before, number) != nullptr) continue;
    out_.Add("MESSAGE_SAME_REQUIRED_FIELDS", Severity::kBreaking, field->full_name, field->file,
             PlaceOf(*field),
             absl::StrCat("field ", number,
                          " is new and required: the new server refuses what old clients send"));
  }
  CompareNames(before, now);
  CompareOneofs(before, now, direction);
  for (const NumberRange& range : Uncovered(ReservedRanges(*before.proto), reserved)) {
    out_.Add("RESERVED_MESSAGE_NO_DELETE", Severity::kNote, before.full_name, now.file,
             PlaceOf(now), NotAllReserved(range));
  }
}

// A new name for a number is nothing; a name that has moved on to another number is, unless the one
// number is gone and the other new: what is deleted and added meets nothing.
void Exchange::CompareNames(const Message& before, const Message& now) {
  absl::flat_hash_map<absl::string_view, const Field*> names;
  for (const auto& [number, field] : now.fields) names[field->proto->name()] = field;
  for (const auto& [number, field] : before.fields) {
    const auto same_number = now.fields.find(number);
    const auto same_name = names.find(field->proto->name());
    if (same_name == names.end()) continue;
    const int new_number = same_name->second->proto->number();
    const bool number_is_gone = same_number == now.fields.end();
    if (new_number == number || (number_is_gone && !before.fields.contains(new_number))) continue;
    out_.Add(
        "FIELD_SAME_NUMBER", Severity::kBreaking, field->full_name, now.file,
        PlaceOfName(number_is_gone ? *same_name->second : *same_number->second),
        absl::StrCat("\"", field->proto->name(), "\" had number ", number, " and now has ",
                     new_number, ": old clients and the new server mean different fields by it"));
  }
}

void Exchange::CompareExtensions(const Field& before, const Field& now) {
  CompareFields(before, now, Direction::kRequest);
  CompareFields(before, now, Direction::kResponse);
  Finish();
}

void Exchange::CompareDeleted(const Field& field, const Message& now, const NumberSet& reserved,
                              Direction direction) {
  const int number = field.proto->number();
  const auto place = PlaceOf(now);
  const absl::string_view consequence =
      direction == Direction::kRequest ? "the new server ignores what old clients send in it"
                                       : "old clients find it empty in what the new server sends";
  if (IsRequired(field) && direction == Direction::kResponse) {
    out_.Add("MESSAGE_SAME_REQUIRED_FIELDS", Severity::kBreaking, field.full_name, now.file, place,
             absl::StrCat("required field ", number,
                          " was deleted: old clients refuse what the new server sends"));
  }
  if (!reserved.Contains(number)) {
    out_.Add("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", Severity::kBreaking, field.full_name,
             now.file, place,
             absl::StrCat("field ", number,
                          " was deleted and its number is free to be used for "
                          "something else, which old clients and servers would misread; ",
                          consequence));
    return;
  }
  out_.Add("FIELD_NO_DELETE", Severity::kDangerous, field.full_name, now.file, place,
           absl::StrCat("field ", number, " was deleted: ", consequence));
}

void Exchange::CompareFields(const Field& before, const Field& now, Direction direction) {
  CompareRequired(before, now, direction);
  CompareKinds(before, now, direction);
  CompareDefaults(before, now);
}

void Exchange::CompareKinds(const Field& before, const Field& now, Direction direction) {
  const bool request = direction == Direction::kRequest;
  const Field& written = request ? before : now;
  const Field& read = request ? now : before;
  const Enum* read_enum = (request ? now_ : before_).FindEnum(read.type_name());
  const bool closed = read_enum != nullptr && read_enum->features.closed_enums;
  if (const auto loss = LossOfKind(written.kind, read.kind, closed)) {
    out_.Add("FIELD_WIRE_COMPATIBLE_TYPE", loss->severity, before.full_name, now.file,
             PlaceOfType(now),
             absl::StrCat(Travels(TypeText(before), TypeText(now), direction), ": ", loss->text));
    if (loss->severity == Severity::kBreaking) return;
  }
  // A list of texts or messages in place of one is safe: who knows of one reads the last, as the
  // wire format promises. The other way round, what old clients send is lost.
  const bool list_for_one = !request && !written.packed &&
                            (written.kind == FieldDescriptorProto::TYPE_STRING ||
                             written.kind == FieldDescriptorProto::TYPE_BYTES ||
                             written.kind == FieldDescriptorProto::TYPE_MESSAGE ||
                             written.kind == FieldDescriptorProto::TYPE_GROUP);
  if (const auto loss = LossOfCardinality(written, read); loss && !list_for_one) {
    out_.Add("FIELD_WIRE_COMPATIBLE_CARDINALITY", loss->severity, before.full_name, now.file,
             PlaceOf(now),
             absl::StrCat(Travels(CardinalityText(before.cardinality),
                                  CardinalityText(now.cardinality), direction),
                          ": ", loss->text));
  }
  if (before.kind != now.kind) return;
  if (before.kind == FieldDescriptorProto::TYPE_ENUM) return CompareEnums(before, now, direction);
  const Message* message_before = before_.FindMessage(before.type_name());
  const Message* message_now = now_.FindMessage(now.type_name());
  if (message_before == nullptr || message_now == nullptr) return;
  if (MeansSomethingElse(*message_before, *message_now)) {
    out_.Add("FIELD_WIRE_COMPATIBLE_TYPE", Severity::kBreaking, before.full_name, now.file,
             PlaceOfType(now),
             absl::StrCat(Travels(TypeText(before), TypeText(now), direction),
                          ": the same bytes mean something else"));
    return;
  }
  open_.push_back({message_before, message_now, direction});
}

void Exchange::CompareRequired(const Field& before, const Field& now, Direction direction) {
  if (IsRequired(before) == IsRequired(now)) return;
  // Whoever knows it as required reads: then the other may leave it out.
  const bool reader_requires =
      direction == Direction::kRequest ? IsRequired(now) : IsRequired(before);
  if (!reader_requires) return;
  out_.Add(
      "MESSAGE_SAME_REQUIRED_FIELDS", Severity::kBreaking, before.full_name, now.file, PlaceOf(now),
      absl::StrCat(
          Travels(CardinalityText(before.cardinality), CardinalityText(now.cardinality), direction),
          ": a message without the field is refused"));
}

void Exchange::CompareDefaults(const Field& before, const Field& now) {
  if (!CanHaveDefault(before) || !CanHaveDefault(now)) return;
  const FieldDefault old_default = DefaultOf(before, before_);
  const FieldDefault new_default = DefaultOf(now, now_);
  if ((old_default.is_zero() && new_default.is_zero()) || SameDefault(old_default, new_default)) {
    return;
  }
  out_.Add("FIELD_SAME_DEFAULT", Severity::kDangerous, before.full_name, now.file, PlaceOf(now),
           absl::StrCat("when absent it was ", DefaultText(old_default), " and is now ",
                        DefaultText(new_default),
                        ": old clients and the new server read the same bytes differently"));
}

// Fields that the writer may set together, of which the reader keeps only the last: those of one
// oneof of the reader that are not all of one oneof of the writer.
void Exchange::CompareOneofs(const Message& before, const Message& now, Direction direction) {
  const bool request = direction == Direction::kRequest;
  const Message& written = request ? before : now;
  const Message& read = request ? now : before;
  // How many fields both have: by the reader's oneof, and by that and the writer's.
  absl::flat_hash_map<absl::string_view, int> in_oneof;
  absl::flat_hash_map<std::pair<absl::string_view, absl::string_view>, int> in_both;
  for (const auto& [number, field] : read.fields) {
    const auto other = written.fields.find(number);
    if (field->oneof.empty() || other == written.fields.end()) continue;
    ++in_oneof[field->oneof];
    ++in_both[{field->oneof, other->second->oneof}];
  }
  for (const auto& [number, field] : read.fields) {
    const auto other = written.fields.find(number);
    if (field->oneof.empty() || other == written.fields.end()) continue;
    const absl::string_view own = other->second->oneof;
    const int never_together = own.empty() ? 1 : in_both[{field->oneof, own}];
    if (in_oneof[field->oneof] <= never_together) continue;
    const Field& old_field = request ? *other->second : *field;
    const Field& new_field = request ? *field : *other->second;
    out_.Add("FIELD_SAME_ONEOF", Severity::kDangerous, old_field.full_name, new_field.file,
             PlaceOf(new_field),
             absl::StrCat(request ? "old clients may send it together with others of oneof "
                                  : "the new server may send it together with others of oneof ",
                          field->oneof, ", of which whoever reads keeps only the last"));
  }
}

void Exchange::CompareEnums(const Field& before, const Field& now, Direction direction) {
  const Enum* old_enum = before_.FindEnum(before.type_name());
  const Enum* new_enum = now_.FindEnum(now.type_name());
  if (old_enum == nullptr || new_enum == nullptr) return;
  if (!done_.emplace(old_enum, new_enum, direction).second) return;
  if (!Spend(kStepsOfPair + StepsOf(*old_enum) + StepsOf(*new_enum))) return;
  const auto place = PlaceOf(*new_enum);
  const NumberSet reserved(ReservedRanges(*new_enum->proto));
  const bool request = direction == Direction::kRequest;
  absl::flat_hash_map<absl::string_view, int> numbers;
  for (const auto& value : new_enum->proto->value()) numbers[value.name()] = value.number();
  for (const auto& value : old_enum->proto->value()) {
    const std::string symbol = absl::StrCat(old_enum->full_name, ".", value.name());
    const auto same_name = numbers.find(value.name());
    if (same_name != numbers.end() && same_name->second != value.number()) {
      out_.Add("ENUM_VALUE_SAME_NUMBER", Severity::kBreaking, symbol, new_enum->file, place,
               absl::StrCat("it had number ", value.number(), " and now has ", same_name->second,
                            ": old clients and the new server mean different values by it"));
    }
    if (new_enum->values.contains(value.number())) continue;
    if (!reserved.Contains(value.number())) {
      out_.Add(
          "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
          request ? Severity::kBreaking : Severity::kDangerous, symbol, new_enum->file, place,
          absl::StrCat("value ", value.number(),
                       " was deleted and its number is free to be "
                       "used for something else; ",
                       request ? "old clients still send it" : "old clients would misread it"));
    } else if (request) {
      out_.Add("ENUM_VALUE_NO_DELETE", Severity::kDangerous, symbol, new_enum->file, place,
               absl::StrCat("value ", value.number(),
                            " was deleted: the new server has no meaning for what old clients "
                            "still send"));
    }
  }
  for (const NumberRange& range : Uncovered(ReservedRanges(*old_enum->proto), reserved)) {
    out_.Add("RESERVED_ENUM_NO_DELETE", Severity::kNote, old_enum->full_name, new_enum->file, place,
             NotAllReserved(range));
  }
}

}  // namespace pinion::compat
