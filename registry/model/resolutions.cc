#include "registry/model/resolutions.h"

#include <algorithm>

#include "base/check.h"
#include "base/status_macros.h"
#include "registry/model/lifecycle.h"

namespace pinion::model {
namespace {

using Entry = registry::v1::Resolutions::Entry;

}  // namespace

absl::Status VersionList::Add(absl::string_view name, routing::v1::VersionState state) {
  ASSIGN_OR_RETURN(version::VersionName parsed, version::VersionName::Parse(scheme_, name));
  items_.push_back({std::move(parsed), state});
  return absl::OkStatus();
}

void VersionList::SetState(absl::string_view name, routing::v1::VersionState state) {
  for (Item& item : items_) {
    if (item.name.text() == name) item.state = state;
  }
}

std::string VersionList::Resolve(const version::Expression& expression) const {
  std::vector<version::Candidate> candidates;
  candidates.reserve(items_.size());
  for (const Item& item : items_) candidates.push_back({&item.name, item.state});
  const std::optional<size_t> chosen = version::Resolve(expression, candidates);
  return chosen.has_value() ? items_[*chosen].name.text() : "";
}

bool VersionList::CanBeChosen(absl::string_view name) const {
  return std::any_of(items_.begin(), items_.end(), [name](const Item& item) {
    return item.name.text() == name && model::CanBeChosen(item.state);
  });
}

bool VersionList::CouldMatch(const version::Expression& expression) const {
  return std::any_of(items_.begin(), items_.end(), [&expression](const Item& item) {
    return !HasEnded(item.state) && expression.Matches(item.name);
  });
}

bool VersionList::CouldMatchWithin(const version::Expression& expression,
                                   const version::Expression& within) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    return !HasEnded(item.state) && expression.Matches(item.name) && within.Matches(item.name);
  });
}

bool VersionList::Matches(const version::Expression& expression, absl::string_view name) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    return item.name.text() == name && expression.Matches(item.name);
  });
}

bool VersionList::Needs(const version::Expression& expression, absl::string_view name) const {
  bool matches = false;
  for (const Item& item : items_) {
    if (!expression.Matches(item.name)) continue;
    if (item.name.text() == name) {
      matches = true;
    } else if (!HasEnded(item.state)) {
      return false;
    }
  }
  return matches;
}

std::string VersionList::Satisfying(const version::Expression& expression) const {
  std::string meant = Resolve(expression);
  return CanBeChosen(meant) ? meant : "";
}

template <typename Keep>
std::vector<VersionList::NamedState> VersionList::NewestFirst(Keep keep) const {
  std::vector<const Item*> sorted;
  for (const Item& item : items_) {
    if (keep(item)) sorted.push_back(&item);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Item* a, const Item* b) { return b->name < a->name; });
  std::vector<NamedState> result;
  for (const Item* item : sorted) result.push_back({item->name.text(), item->state});
  return result;
}

std::vector<VersionList::NamedState> VersionList::Matching(
    const version::Expression& expression) const {
  return NewestFirst([&expression](const Item& item) { return expression.Matches(item.name); });
}

std::vector<std::string> VersionList::Names() const {
  std::vector<std::string> names;
  for (NamedState& one : NewestFirst([](const Item& item) { return !HasEnded(item.state); })) {
    names.push_back(std::move(one.name));
  }
  return names;
}

std::vector<std::string> VersionList::NamesWithin(const version::Expression& expression) const {
  std::vector<std::string> names = Names();
  std::erase_if(names, [&](const std::string& name) { return !Matches(expression, name); });
  return names;
}

std::optional<std::string> Find(const registry::v1::Resolutions& resolutions,
                                absl::string_view expression) {
  const auto& entries = resolutions.entries();
  const auto it = std::lower_bound(
      entries.begin(), entries.end(), expression,
      [](const Entry& entry, absl::string_view text) { return entry.expression() < text; });
  if (it == entries.end() || it->expression() != expression) return std::nullopt;
  return it->version();
}

void Intern(registry::v1::Resolutions& resolutions, absl::string_view expression,
            absl::string_view version) {
  CHECK(!Find(resolutions, expression).has_value());
  Entry* entry = resolutions.add_entries();
  entry->set_expression(std::string(expression));
  entry->set_version(std::string(version));
  for (int i = resolutions.entries_size() - 1; i > 0; --i) {
    if (resolutions.entries(i - 1).expression() < resolutions.entries(i).expression()) break;
    resolutions.mutable_entries()->SwapElements(i - 1, i);
  }
}

absl::StatusOr<std::vector<Moved>> ResolveAgain(registry::v1::Resolutions& resolutions,
                                                routing::v1::Scheme scheme,
                                                const VersionList& versions,
                                                absl::string_view changed,
                                                const google::protobuf::Timestamp& now) {
  std::vector<Moved> moved;
  for (Entry& entry : *resolutions.mutable_entries()) {
    ASSIGN_OR_RETURN(const version::Expression expression,
                     version::Expression::Parse(scheme, entry.expression()));
    std::string meant = versions.Resolve(expression);
    if (meant == entry.version()) continue;
    if (meant != changed && versions.CanBeChosen(entry.version())) continue;
    moved.push_back({entry.expression(), entry.version(), meant});
    if (!entry.version().empty()) {
      entry.set_previous_version(entry.version());
      *entry.mutable_move_time() = now;
    }
    entry.set_version(std::move(meant));
  }
  resolutions.set_state_changes(resolutions.state_changes() + 1);
  return moved;
}

}  // namespace pinion::model
