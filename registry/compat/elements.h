// A descriptor set as a set of elements: files, messages, fields, enums, services and methods, each
// with its full name, its source path and what syntax or edition make of it. Built once and then
// read only, on one thread; all pointers stay valid as long as the Elements.
//
// Not protobuf's DescriptorPool: Debian's refuses editions, and drops source paths.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.pb.h"
#include "registry/compat/features.h"

namespace pinion::compat {

// As in SourceCodeInfo: field numbers and indexes from the file down to the element.
using SourcePath = std::vector<int>;

struct File {
  const google::protobuf::FileDescriptorProto* proto = nullptr;
  Features features;
  // What buf marks as an import, and protobuf's own types: not this owner's to change.
  bool is_import = false;
  bool is_well_known = false;
  bool is_exempt = false;  // nothing is promised of its package

  bool is_compared() const { return !is_import && !is_well_known && !is_exempt; }
  // What the set's source info says of `path`; of several locations the first. Null: nothing.
  const google::protobuf::SourceCodeInfo::Location* FindLocation(const SourcePath& path) const;

  // Made when a location is first asked for: most comparisons find nothing that has to be placed.
  mutable absl::flat_hash_map<absl::Span<const int>, int> location_index;
};

struct Element {
  const File* file = nullptr;
  std::string full_name;
  SourcePath path;
};

// How often a field may be there. https://protobuf.dev/programming-guides/field_presence/
enum class Cardinality { kExplicit, kImplicit, kRequired, kRepeated, kMap };

struct Message;

struct Field : Element {
  const google::protobuf::FieldDescriptorProto* proto = nullptr;
  const Message* parent = nullptr;  // nullptr: an extension
  // As encoded: TYPE_GROUP also for a message that an edition has delimited.
  google::protobuf::FieldDescriptorProto::Type kind{};
  Cardinality cardinality = Cardinality::kExplicit;
  bool packed = false;  // how it is written; both ways are read
  // The name of its oneof; empty: none, or the one that stands for proto3's `optional`.
  absl::string_view oneof;

  bool is_extension() const { return parent == nullptr; }
  absl::string_view type_name() const;  // without the leading dot; empty for scalars
};

struct Message : Element {
  const google::protobuf::DescriptorProto* proto = nullptr;
  const Message* parent = nullptr;  // nullptr: at the top of a file
  Features features;
  std::map<int, const Field*> fields;  // by number; no extensions
  const Field* map_field = nullptr;    // whose entries these are; nullptr: not those of a map

  bool is_map_entry() const { return proto->options().map_entry(); }
};

struct Enum : Element {
  const google::protobuf::EnumDescriptorProto* proto = nullptr;
  Features features;
  // Aliases share a number.
  std::map<int, std::vector<const google::protobuf::EnumValueDescriptorProto*>> values;
};

struct Method : Element {
  const google::protobuf::MethodDescriptorProto* proto = nullptr;
};

struct Service : Element {
  const google::protobuf::ServiceDescriptorProto* proto = nullptr;
  std::map<absl::string_view, Method> methods;
};

class Elements {
 public:
  // REQUIRES: the set is whole (schema::CheckFiles) and outlives the result. InvalidArgument,
  // naming the element: an edition this program does not know, a number used twice, a field without
  // a type. `exempt_unstable`: files of unstable packages are marked as exempt.
  static absl::StatusOr<std::unique_ptr<const Elements>> Build(
      const google::protobuf::FileDescriptorSet& set, bool exempt_unstable = false);

  template <typename T>
  using ByName = std::map<absl::string_view, const T*>;
  using ByNumber = std::map<std::pair<absl::string_view, int>, const Field*>;

  const ByName<File>& files() const { return files_by_path_; }
  const ByName<Message>& messages() const { return messages_by_name_; }
  const ByName<Enum>& enums() const { return enums_by_name_; }
  const ByName<Service>& services() const { return services_by_name_; }
  const ByNumber& extensions() const { return extensions_; }  // by (extendee, number)

  // nullptr: none of that name.
  const Message* FindMessage(absl::string_view full_name) const;
  const Enum* FindEnum(absl::string_view full_name) const;

 private:
  friend class ElementsBuilder;
  Elements() = default;

  std::deque<File> file_storage_;
  std::deque<Message> message_storage_;
  std::deque<Field> field_storage_;
  std::deque<Enum> enum_storage_;
  std::deque<Service> service_storage_;
  ByName<File> files_by_path_;
  ByName<Message> messages_by_name_;
  ByName<Enum> enums_by_name_;
  ByName<Service> services_by_name_;
  ByNumber extensions_;
};

}  // namespace pinion::compat
