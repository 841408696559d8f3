#include "registry/probe/drift.h"

#include <algorithm>
#include <deque>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "registry/compat/elements.h"
#include "registry/compat/field_default.h"
#include "registry/compat/field_kinds.h"
#include "registry/schema/digest.h"

namespace pinion::probe {
namespace {

using compat::Elements;
using google::protobuf::FileDescriptorSet;

// How many a sentence names.
constexpr size_t kNamed = 3;

std::string Instead(absl::string_view subject, absl::string_view verb, absl::string_view shown,
                    absl::string_view published) {
  return absl::StrCat(subject, " ", verb, " ", shown, " instead of ", published);
}

// Walks from the services' methods to all types that these hold. What is still to do waits in a
// list: a chain of types may be longer than a stack.
class Comparison {
 public:
  Comparison(const Elements& published, const Elements& shown)
      : published_(published), shown_(shown) {}

  void CompareServices(const std::vector<schema::GrpcService>& services) {
    for (const schema::GrpcService& service : services) {
      const auto published = published_.services().find(service.name);
      const auto shown = shown_.services().find(service.name);
      if (shown == shown_.services().end()) {
        Add(absl::StrCat("gRPC service ", service.name, " is missing"));
      } else if (published != published_.services().end()) {
        CompareMethods(*published->second, *shown->second);
      }
    }
    while (!open_.empty() && !is_full()) {
      const std::string type = std::move(open_.front());
      open_.pop_front();
      CompareTypes(type);
    }
  }

  std::vector<std::string> Take() && { return std::move(differences_); }

 private:
  bool is_full() const { return differences_.size() >= kMaxDifferences; }

  void Add(std::string difference) {
    if (!is_full()) differences_.push_back(std::move(difference));
  }

  void CompareMethods(const compat::Service& published, const compat::Service& shown) {
    for (const auto& [name, method] : published.methods) {
      const std::string subject = absl::StrCat("method /", published.full_name, "/", name);
      const auto it = shown.methods.find(name);
      if (it == shown.methods.end()) {
        Add(absl::StrCat(subject, " is missing"));
        continue;
      }
      const auto& was = *method.proto;
      const auto& is = *it->second.proto;
      ComparePayload(subject, "takes", was.client_streaming(), was.input_type(),
                     is.client_streaming(), is.input_type());
      ComparePayload(subject, "answers with", was.server_streaming(), was.output_type(),
                     is.server_streaming(), is.output_type());
    }
  }

  void ComparePayload(absl::string_view subject, absl::string_view verb, bool was_stream,
                      absl::string_view was_type, bool is_stream, absl::string_view is_type) {
    const auto text = [](bool stream, absl::string_view type) {
      return absl::StrCat(stream ? "a stream of " : "", absl::StripPrefix(type, "."));
    };
    const std::string was = text(was_stream, was_type);
    const std::string is = text(is_stream, is_type);
    if (was != is) return Add(Instead(subject, verb, is, was));
    Reach(absl::StripPrefix(was_type, "."));
  }

  void Reach(absl::string_view type) {
    if (!type.empty() && reached_.emplace(type).second) open_.emplace_back(type);
  }

  void CompareTypes(const std::string& type) {
    if (const compat::Message* published = published_.FindMessage(type)) {
      const compat::Message* shown = shown_.FindMessage(type);
      if (shown == nullptr) return Add(absl::StrCat("message ", type, " is missing"));
      // Of another release of protobuf, perhaps.
      if (published->file->is_well_known && shown->file->is_well_known) return;
      for (const auto& [number, field] : published->fields) {
        // A field that is missing is looked for in all of the message.
        if (is_full()) return;
        CompareField(*field, *shown);
      }
    } else if (const compat::Enum* published_enum = published_.FindEnum(type)) {
      const compat::Enum* shown_enum = shown_.FindEnum(type);
      if (shown_enum == nullptr) return Add(absl::StrCat("enum ", type, " is missing"));
      CompareEnums(*published_enum, *shown_enum);
    }
  }

  void CompareField(const compat::Field& published, const compat::Message& message) {
    const std::string subject = absl::StrCat("field ", published.full_name);
    const auto it = message.fields.find(published.proto->number());
    if (it == message.fields.end()) {
      const auto renumbered =
          std::find_if(message.fields.begin(), message.fields.end(), [&](const auto& entry) {
            return entry.second->proto->name() == published.proto->name();
          });
      if (renumbered == message.fields.end()) return Add(absl::StrCat(subject, " is missing"));
      return Add(Instead(subject, "has number", absl::StrCat(renumbered->first),
                         absl::StrCat(published.proto->number())));
    }
    const compat::Field& shown = *it->second;
    if (shown.full_name != published.full_name) {
      return Add(Instead(
          absl::StrCat("field ", published.proto->number(), " of ", published.parent->full_name),
          "is called", shown.proto->name(), published.proto->name()));
    }
    CompareParts(subject, published, shown);
    Reach(published.type_name());
  }

  void CompareParts(const std::string& subject, const compat::Field& published,
                    const compat::Field& shown) {
    const auto compare = [&](absl::string_view verb, absl::string_view is, absl::string_view was) {
      if (is != was) Add(Instead(subject, verb, is, was));
    };
    compare("is of type", compat::TypeText(shown), compat::TypeText(published));
    compare("is", compat::CardinalityText(shown.cardinality),
            compat::CardinalityText(published.cardinality));
    compare("is in JSON", compat::JsonNameOf(shown), compat::JsonNameOf(published));
    if (shown.oneof != published.oneof) {
      const auto oneof = [](absl::string_view name) {
        return name.empty() ? std::string("no oneof") : absl::StrCat("the oneof ", name);
      };
      Add(Instead(subject, "is in", oneof(shown.oneof), oneof(published.oneof)));
    }
    if (!compat::CanHaveDefault(published) || !compat::CanHaveDefault(shown)) return;
    const compat::FieldDefault was = compat::DefaultOf(published, published_);
    const compat::FieldDefault is = compat::DefaultOf(shown, shown_);
    if (!compat::SameDefault(is, was)) {
      Add(Instead(subject, "has the default", compat::DefaultText(is), compat::DefaultText(was)));
    }
  }

  void CompareEnums(const compat::Enum& published, const compat::Enum& shown) {
    if (published.features.closed_enums != shown.features.closed_enums) {
      Add(Instead(absl::StrCat("enum ", published.full_name), "is",
                  shown.features.closed_enums ? "closed" : "open",
                  published.features.closed_enums ? "closed" : "open"));
    }
    for (const auto& [number, values] : published.values) {
      const auto it = shown.values.find(number);
      for (const auto* value : values) {
        const bool there =
            it != shown.values.end() &&
            std::any_of(it->second.begin(), it->second.end(),
                        [&](const auto* other) { return other->name() == value->name(); });
        if (there) continue;
        Add(absl::StrCat("value ", value->name(), " = ", number, " of enum ", published.full_name,
                         " is missing"));
      }
    }
  }

  const Elements& published_;
  const Elements& shown_;
  std::vector<std::string> differences_;
  absl::flat_hash_set<std::string> reached_;
  std::deque<std::string> open_;
};

}  // namespace

std::optional<std::string> ShownDigest(const FileDescriptorSet& shown,
                                       const std::vector<std::string>& services) {
  std::vector<std::string> roots;
  for (const std::string& service : services) {
    const auto declares = [&service](const google::protobuf::FileDescriptorProto& file) {
      const std::string prefix = file.package().empty() ? "" : absl::StrCat(file.package(), ".");
      return std::any_of(file.service().begin(), file.service().end(), [&](const auto& one) {
        return absl::StrCat(prefix, one.name()) == service;
      });
    };
    const auto it = std::find_if(shown.file().begin(), shown.file().end(), declares);
    if (it == shown.file().end()) return std::nullopt;
    roots.push_back(it->name());
  }
  return schema::DigestOfClosure(shown, roots);
}

absl::StatusOr<std::vector<std::string>> Differences(const schema::Schema& published,
                                                     const FileDescriptorSet& shown) {
  ASSIGN_OR_RETURN(const std::unique_ptr<const Elements> was, Elements::Build(published.files()));
  ASSIGN_OR_RETURN(const std::unique_ptr<const Elements> is, Elements::Build(shown));
  Comparison comparison(*was, *is);
  comparison.CompareServices(published.services());
  return std::move(comparison).Take();
}

std::string DifferencesText(const std::vector<std::string>& differences) {
  const auto end = differences.begin() + std::min(differences.size(), kNamed);
  std::string text = absl::StrJoin(differences.begin(), end, ", ");
  if (differences.size() > kNamed) {
    absl::StrAppend(&text, ", and ", differences.size() - kNamed, " more");
  }
  return text;
}

}  // namespace pinion::probe
