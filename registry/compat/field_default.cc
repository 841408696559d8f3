#include "registry/compat/field_default.h"

#include <cmath>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pinion::compat {
namespace {

using google::protobuf::FieldDescriptorProto;
using Kind = FieldDefault::Kind;

FieldDefault Integer(__int128 value) { return {.kind = Kind::kInteger, .integer = value}; }

FieldDefault OfEnum(const Field& field, const Elements& all) {
  const Enum* type = all.FindEnum(field.type_name());
  if (type == nullptr || type->proto->value_size() == 0) return Integer(0);
  // Without a default of its own the first value counts.
  if (!field.proto->has_default_value()) return Integer(type->proto->value(0).number());
  for (const auto& value : type->proto->value()) {
    if (value.name() == field.proto->default_value()) return Integer(value.number());
  }
  return Integer(0);
}

FieldDefault OfReal(Kind kind, const std::string& text) {
  FieldDefault value{.kind = kind};
  if (!text.empty() && !absl::SimpleAtod(text, &value.real)) value.real = 0;
  if (kind == Kind::kFloat) value.real = static_cast<float>(value.real);
  return value;
}

FieldDefault OfInteger(const std::string& text) {
  int64_t small = 0;
  uint64_t large = 0;
  if (absl::SimpleAtoi(text, &small)) return Integer(small);
  return absl::SimpleAtoi(text, &large) ? Integer(large) : Integer(0);
}

bool SameNumber(double real, __int128 integer) {
  return std::isfinite(real) && std::trunc(real) == real && std::abs(real) < 0x1p65 &&
         static_cast<__int128>(real) == integer;
}

bool IsReal(const FieldDefault& value) {
  return value.kind == Kind::kFloat || value.kind == Kind::kDouble;
}

}  // namespace

bool FieldDefault::is_zero() const { return text.empty() && integer == 0 && real == 0; }

bool CanHaveDefault(const Field& field) {
  return field.cardinality != Cardinality::kRepeated && field.cardinality != Cardinality::kMap &&
         field.kind != FieldDescriptorProto::TYPE_MESSAGE &&
         field.kind != FieldDescriptorProto::TYPE_GROUP;
}

FieldDefault DefaultOf(const Field& field, const Elements& all) {
  const std::string& text = field.proto->default_value();
  switch (field.kind) {
    case FieldDescriptorProto::TYPE_STRING:
      return {.kind = Kind::kText, .text = text};
    case FieldDescriptorProto::TYPE_BYTES: {
      FieldDefault value{.kind = Kind::kText};
      if (!absl::CUnescape(text, &value.text)) value.text = text;
      return value;
    }
    case FieldDescriptorProto::TYPE_ENUM:
      return OfEnum(field, all);
    case FieldDescriptorProto::TYPE_FLOAT:
      return OfReal(Kind::kFloat, text);
    case FieldDescriptorProto::TYPE_DOUBLE:
      return OfReal(Kind::kDouble, text);
    case FieldDescriptorProto::TYPE_BOOL:
      return Integer(text == "true" ? 1 : 0);
    default:
      return OfInteger(text);
  }
}

bool SameDefault(const FieldDefault& a, const FieldDefault& b) {
  if (a.kind == Kind::kText || b.kind == Kind::kText) return a.kind == b.kind && a.text == b.text;
  if (IsReal(a) && IsReal(b)) {
    if (std::isnan(a.real) || std::isnan(b.real)) return std::isnan(a.real) && std::isnan(b.real);
    if (a.kind == b.kind) return a.real == b.real;
    return static_cast<float>(a.real) == static_cast<float>(b.real);
  }
  if (IsReal(a)) return SameNumber(a.real, b.integer);
  if (IsReal(b)) return SameNumber(b.real, a.integer);
  return a.integer == b.integer;
}

std::string DefaultText(const FieldDefault& value) {
  if (value.kind == Kind::kText) return absl::StrCat("\"", absl::CHexEscape(value.text), "\"");
  if (IsReal(value)) return absl::StrCat(value.real);
  return value.integer < 0 ? absl::StrCat(static_cast<int64_t>(value.integer))
                           : absl::StrCat(static_cast<uint64_t>(value.integer));
}

}  // namespace pinion::compat
