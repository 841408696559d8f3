#include "registry/compat/value_reading.h"

#include <algorithm>
#include <array>

namespace pinion::compat {
namespace {

using google::protobuf::FieldDescriptorProto;
using Kind = FieldDescriptorProto::Type;

// How an integer is encoded, and which it may be.
enum class Encoding { kNone, kVarint, kZigzag, kFixed32, kFixed64 };
struct Integer {
  Kind kind;
  Encoding encoding;
  int bits;
  bool is_signed;
};

constexpr std::array<Integer, 12> kIntegers = {{
    {FieldDescriptorProto::TYPE_INT32, Encoding::kVarint, 32, true},
    {FieldDescriptorProto::TYPE_INT64, Encoding::kVarint, 64, true},
    {FieldDescriptorProto::TYPE_UINT32, Encoding::kVarint, 32, false},
    {FieldDescriptorProto::TYPE_UINT64, Encoding::kVarint, 64, false},
    {FieldDescriptorProto::TYPE_BOOL, Encoding::kVarint, 1, false},
    {FieldDescriptorProto::TYPE_ENUM, Encoding::kVarint, 32, true},
    {FieldDescriptorProto::TYPE_SINT32, Encoding::kZigzag, 32, true},
    {FieldDescriptorProto::TYPE_SINT64, Encoding::kZigzag, 64, true},
    {FieldDescriptorProto::TYPE_FIXED32, Encoding::kFixed32, 32, false},
    {FieldDescriptorProto::TYPE_SFIXED32, Encoding::kFixed32, 32, true},
    {FieldDescriptorProto::TYPE_FIXED64, Encoding::kFixed64, 64, false},
    {FieldDescriptorProto::TYPE_SFIXED64, Encoding::kFixed64, 64, true},
}};

Integer IntegerOf(Kind kind) {
  const auto* it = std::find_if(kIntegers.begin(), kIntegers.end(),
                                [kind](const Integer& one) { return one.kind == kind; });
  return it == kIntegers.end() ? Integer{kind, Encoding::kNone, 0, false} : *it;
}

std::optional<Loss> LossOfInteger(const Integer& written, const Integer& read, bool closed) {
  if (read.bits == 1) return Loss{Severity::kDangerous, "every number but 0 is read as true"};
  if (read.bits < written.bits) {
    return Loss{Severity::kDangerous, "numbers that need more than 32 bits are cut off"};
  }
  if (written.is_signed && !read.is_signed) {
    return Loss{Severity::kDangerous, "negative numbers are read as large positive ones"};
  }
  if (!written.is_signed && read.is_signed && written.bits == read.bits) {
    return Loss{Severity::kDangerous, "the larger half of the numbers is read as negative"};
  }
  if (closed && written.kind != read.kind) {
    return Loss{Severity::kDangerous, "numbers that are no value of the enum are dropped"};
  }
  return std::nullopt;
}

bool IsLengthDelimited(Kind kind) {
  return kind == FieldDescriptorProto::TYPE_STRING || kind == FieldDescriptorProto::TYPE_BYTES ||
         kind == FieldDescriptorProto::TYPE_MESSAGE;
}

bool IsList(const Field& field) {
  return field.cardinality == Cardinality::kRepeated || field.cardinality == Cardinality::kMap;
}

}  // namespace

std::optional<Loss> LossOfKind(Kind written, Kind read, bool reader_is_closed) {
  if (written == read) return std::nullopt;
  const Integer from = IntegerOf(written);
  const Integer to = IntegerOf(read);
  if (from.encoding != Encoding::kNone && from.encoding == to.encoding) {
    return LossOfInteger(from, to, reader_is_closed);
  }
  const bool text_as_bytes =
      written == FieldDescriptorProto::TYPE_STRING && read == FieldDescriptorProto::TYPE_BYTES;
  if (text_as_bytes) return std::nullopt;
  if (IsLengthDelimited(written) && read == FieldDescriptorProto::TYPE_STRING) {
    return Loss{Severity::kBreaking, "what is not valid UTF-8 is refused with its whole message"};
  }
  if (IsLengthDelimited(written) && IsLengthDelimited(read)) {
    return Loss{Severity::kBreaking, "the bytes are read as something that they are not"};
  }
  return Loss{Severity::kBreaking,
              "the bytes of one are not the bytes of the other: they are dropped, or misread"};
}

std::optional<Loss> LossOfCardinality(const Field& written, const Field& read) {
  if (!IsList(written) || IsList(read)) return std::nullopt;
  if (written.packed) {
    return Loss{Severity::kBreaking, "a packed list is dropped by a reader of one value"};
  }
  return Loss{Severity::kDangerous, "only the last value of the list is kept"};
}

}  // namespace pinion::compat
