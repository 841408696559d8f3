#include "registry/compat/check.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "base/status_macros.h"
#include "registry/compat/api_check.h"
#include "registry/compat/elements.h"
#include "registry/compat/rule.h"
#include "registry/schema/schema.h"

namespace pinion::compat {
namespace {

// Both schemas, and the walk over the pairs that a kind of rule is about.
class Comparison {
 public:
  Comparison(const Elements& before, const Elements& now) : before_(before), now_(now) {}

  void Run(const Rule& rule, std::vector<Finding>& out) const {
    Reporter report(rule.id, rule.advice, out);
    std::visit([&](auto check) { RunCheck(check, report); }, rule.check);
  }

 private:
  template <typename T>
  Pair<T> Of(const T& before, const T& now) const {
    return {before, now, before_, now_};
  }

  // Calls `check` with each that both maps have under one key.
  template <typename Key, typename T, typename Check>
  void ForEachPair(const std::map<Key, const T*>& before, const std::map<Key, const T*>& now,
                   Check check) const {
    for (const auto& [key, old] : before) {
      if (const auto it = now.find(key); it != now.end()) check(Of(*old, *it->second));
    }
  }

  void RunCheck(FileCheck check, Reporter& report) const {
    ForEachPair(before_.files(), now_.files(),
                [&](const Pair<File>& pair) { check(pair, report); });
  }
  void RunCheck(MessageCheck check, Reporter& report) const {
    ForEachPair(before_.messages(), now_.messages(),
                [&](const Pair<Message>& pair) { check(pair, report); });
  }
  void RunCheck(EnumCheck check, Reporter& report) const {
    ForEachPair(before_.enums(), now_.enums(),
                [&](const Pair<Enum>& pair) { check(pair, report); });
  }
  void RunCheck(FieldCheck check, Reporter& report) const {
    const auto run = [&](const Pair<Field>& pair) { check(pair, report); };
    ForEachPair(before_.messages(), now_.messages(), [&](const Pair<Message>& pair) {
      ForEachPair(pair.before.fields, pair.now.fields, run);
    });
    ForEachPair(before_.extensions(), now_.extensions(), run);
  }
  void RunCheck(MethodCheck check, Reporter& report) const {
    ForEachPair(before_.services(), now_.services(), [&](const Pair<Service>& pair) {
      for (const auto& [name, method] : pair.before.methods) {
        const auto it = pair.now.methods.find(name);
        if (it != pair.now.methods.end()) check(Of(method, it->second), report);
      }
    });
  }

  const Elements& before_;
  const Elements& now_;
};

Served ServedOf(const google::protobuf::FileDescriptorSet& before, const Elements& elements_before,
                const google::protobuf::FileDescriptorSet& now) {
  Served served{.before = {}, .now = schema::ServedByDefault(now)};
  for (std::string& name : schema::ServedByDefault(before)) {
    const File& file = *elements_before.services().at(name)->file;
    if (!file.is_import && !file.is_well_known) served.before.push_back(std::move(name));
  }
  return served;
}

unsigned Mask(Category category) { return category == Category::kWire ? kWire : kWireJson; }

}  // namespace

std::optional<Category> ParseCategory(absl::string_view name) {
  if (name == "WIRE") return Category::kWire;
  if (name == "WIRE_JSON") return Category::kWireJson;
  if (name == "PINION") return Category::kPinion;
  return std::nullopt;
}

absl::StatusOr<std::vector<Finding>> Check(const google::protobuf::FileDescriptorSet& before,
                                           const google::protobuf::FileDescriptorSet& now,
                                           Category category, const CheckOptions& options) {
  ASSIGN_OR_RETURN(const auto elements_before,
                   Elements::Build(before, options.ignore_unstable_packages));
  ASSIGN_OR_RETURN(const auto elements_now, Elements::Build(now));
  if (category == Category::kPinion) {
    return CheckApi(
        *elements_before, *elements_now,
        options.served.has_value() ? *options.served : ServedOf(before, *elements_before, now));
  }
  const Comparison comparison(*elements_before, *elements_now);
  std::vector<Finding> findings;
  for (const Rule& rule : StandardRules()) {
    if ((rule.categories & Mask(category)) != 0) comparison.Run(rule, findings);
  }
  SortFindings(findings);
  return findings;
}

}  // namespace pinion::compat
