#include "config/decode.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/nearest.h"
#include "config/scalar.h"

namespace pinion::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

// Lists longer than this bury the message.
constexpr size_t kMaxNamesInMessage = 12;

std::string OneOf(const std::vector<std::string>& names) {
  if (names.size() > kMaxNamesInMessage) return "";
  return absl::StrCat(" (known: ", absl::StrJoin(names, ", "), ")");
}

// The likely word if there is one, else all of them.
std::string Hint(std::string_view word, const std::vector<std::string>& names) {
  std::string hint = DidYouMean(word, names);
  return hint.empty() ? OneOf(names) : hint;
}

std::string UnknownField(const std::string& key, const Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  if (names.empty()) return absl::StrCat("unknown field `", key, "`: ", type.name(), " has none");
  return absl::StrCat("unknown field `", key, "` in ", type.name(), Hint(key, names));
}

bool IsWrapper(const Descriptor& type) {
  return type.file()->name() == "google/protobuf/wrappers.proto";
}

class Decoder {
 public:
  Decoder(SourceMap& source, ErrorList& errors) : source_(source), errors_(errors) {}

  // `path_` is the message's.
  void Decode(const Node& node, Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    if (type.full_name() == "google.protobuf.Duration") {
      return Assign(node, ParseDuration(node), static_cast<google::protobuf::Duration&>(message));
    }
    if (type.full_name() == "google.protobuf.Timestamp") {
      return Assign(node, ParseTimestamp(node), static_cast<google::protobuf::Timestamp&>(message));
    }
    if (IsWrapper(type)) return DecodeScalar(node, *type.field(0), message);
    if (node.kind != Node::Kind::kMapping) {
      return Add(node.position, Unexpected(absl::StrCat("a mapping (", type.name(), ")"), node));
    }
    absl::flat_hash_map<const OneofDescriptor*, const Node::Entry*> chosen;
    for (const Node::Entry& entry : node.entries) DecodeEntry(entry, message, chosen);
  }

 private:
  // Extends the path while it lives.
  class Step {
   public:
    Step(Decoder& decoder, std::string_view part) : path_(decoder.path_), size_(path_.size()) {
      absl::StrAppend(&path_, absl::string_view(part.data(), part.size()));
    }
    ~Step() { path_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& path_;
    const size_t size_;
  };

  void Add(Position position, const absl::Status& status) {
    errors_.Add(position, std::string(status.message()));
  }

  template <typename T>
  void Assign(const Node& node, absl::StatusOr<T> value, T& to) {
    if (!value.ok()) return Add(node.position, value.status());
    to = *std::move(value);
  }

  void DecodeEntry(const Node::Entry& entry, Message& message,
                   absl::flat_hash_map<const OneofDescriptor*, const Node::Entry*>& chosen) {
    const Descriptor& type = *message.GetDescriptor();
    const FieldDescriptor* field = type.FindFieldByName(entry.key);
    if (field == nullptr) {
      return errors_.Add(entry.key_position, UnknownField(entry.key, type));
    }
    const Node& value = *entry.value;
    if (const OneofDescriptor* oneof = field->real_containing_oneof(); oneof != nullptr) {
      const auto [it, first] = chosen.emplace(oneof, &entry);
      if (!first) {
        return errors_.Add(entry.key_position,
                           absl::StrCat("`", entry.key, "` and `", it->second->key, "` (line ",
                                        it->second->key_position.line,
                                        ") exclude each other: only one of them can be set"));
      }
      // Unset would be proto-JSON's reading, but who names a member means it.
      if (value.kind == Node::Kind::kNull) {
        const bool empty_will_do = field->message_type() != nullptr;
        return errors_.Add(entry.key_position,
                           absl::StrCat("`", entry.key, "` has no value",
                                        empty_will_do ? ": write `{}` for an empty one" : ""));
      }
    }
    Step step(*this, absl::StrCat(path_.empty() ? "" : ".", entry.key));
    source_.Set(path_, entry.key_position, value.position);
    if (value.kind == Node::Kind::kNull) return;
    if (field->is_map()) return DecodeMap(value, *field, message);
    if (field->is_repeated()) return DecodeList(value, *field, message);
    DecodeValue(value, *field, message);
  }

  void DecodeMap(const Node& node, const FieldDescriptor& field, Message& message) {
    if (node.kind != Node::Kind::kMapping) {
      return Add(node.position, Unexpected("a mapping", node));
    }
    const FieldDescriptor& key_field = *field.message_type()->map_key();
    const FieldDescriptor& value_field = *field.message_type()->map_value();
    for (const Node::Entry& entry : node.entries) {
      Step step(*this, absl::StrCat("[\"", entry.key, "\"]"));
      source_.Set(path_, entry.key_position, entry.value->position);
      Message& pair = *message.GetReflection()->AddMessage(&message, &field);
      Node key{Node::Kind::kScalar, entry.key_position};
      key.scalar = entry.key;
      DecodeScalar(key, key_field, pair);
      DecodeValue(*entry.value, value_field, pair);
    }
  }

  void DecodeList(const Node& node, const FieldDescriptor& field, Message& message) {
    if (node.kind != Node::Kind::kSequence) {
      return Add(node.position, Unexpected("a list", node));
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = *node.items[i];
      Step step(*this, absl::StrCat("[", i, "]"));
      source_.Set(path_, item.position, item.position);
      DecodeValue(item, field, message);
    }
  }

  // One value: the field's, or one more of a repeated field.
  void DecodeValue(const Node& node, const FieldDescriptor& field, Message& message) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return DecodeScalar(node, field, message);
    }
    const Reflection& reflection = *message.GetReflection();
    Decode(node, field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                     : *reflection.MutableMessage(&message, &field));
  }

  void DecodeScalar(const Node& node, const FieldDescriptor& field, Message& message) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return Put(
            node,
            field.type() == FieldDescriptor::TYPE_BYTES ? ParseBytes(node) : ParseString(node),
            field, message, &Reflection::SetString, &Reflection::AddString);
      case FieldDescriptor::CPPTYPE_BOOL:
        return Put(node, ParseBool(node), field, message, &Reflection::SetBool,
                   &Reflection::AddBool);
      case FieldDescriptor::CPPTYPE_INT32:
        return Put(node, ParseInt<int32_t>(node), field, message, &Reflection::SetInt32,
                   &Reflection::AddInt32);
      case FieldDescriptor::CPPTYPE_UINT32:
        return Put(node, ParseInt<uint32_t>(node), field, message, &Reflection::SetUInt32,
                   &Reflection::AddUInt32);
      case FieldDescriptor::CPPTYPE_INT64:
        return Put(node, ParseInt<int64_t>(node), field, message, &Reflection::SetInt64,
                   &Reflection::AddInt64);
      case FieldDescriptor::CPPTYPE_UINT64:
        return Put(node, ParseInt<uint64_t>(node), field, message, &Reflection::SetUInt64,
                   &Reflection::AddUInt64);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return Put(node, ParseDouble(node), field, message, &Reflection::SetDouble,
                   &Reflection::AddDouble);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return Put(node, ParseDouble(node), field, message, &Reflection::SetFloat,
                   &Reflection::AddFloat);
      case FieldDescriptor::CPPTYPE_ENUM:
        return Put(node, ParseEnum(node, *field.enum_type()), field, message, &Reflection::SetEnum,
                   &Reflection::AddEnum);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        break;
    }
    CHECK(false);
  }

  template <typename T, typename Setter>
  void Put(const Node& node, absl::StatusOr<T> value, const FieldDescriptor& field,
           Message& message, Setter set, Setter add) {
    if (!value.ok()) return Add(node.position, value.status());
    const Reflection* reflection = message.GetReflection();
    (reflection->*(field.is_repeated() ? add : set))(&message, &field, *std::move(value));
  }

  static absl::StatusOr<const EnumValueDescriptor*> ParseEnum(const Node& node,
                                                              const EnumDescriptor& type) {
    const EnumValueDescriptor* value =
        node.kind == Node::Kind::kScalar ? type.FindValueByName(node.scalar) : nullptr;
    if (value != nullptr) return value;
    std::vector<std::string> names;
    for (int i = 0; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
    if (node.kind != Node::Kind::kScalar) return Unexpected(absl::StrJoin(names, " or "), node);
    return absl::InvalidArgumentError(
        absl::StrCat("unknown ", type.name(), " ", Found(node), Hint(node.scalar, names)));
  }

  SourceMap& source_;
  ErrorList& errors_;
  std::string path_;
};

}  // namespace

void DecodeMessage(const Node& node, Message& message, SourceMap& source, ErrorList& errors) {
  source.Set("", node.position, node.position);
  Decoder(source, errors).Decode(node, message);
}

}  // namespace pinion::config
