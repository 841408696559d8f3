#include "registry/model/requirement_cycles.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "registry/model/errors.h"
#include "registry/version/expression.h"

namespace pinion::model {
namespace {

// Steps of a path that a message shows.
constexpr size_t kShownSteps = 10;

// Versions (and) need needs (or), and needs have versions as candidates. The first version is the
// one that is asked about.
class Search {
 public:
  explicit Search(const VersionsLoader& load) : load_(load) {}

  absl::Status Explore(const RequiringVersion& asked) {
    asked_ = &asked;
    NodeOf(asked);
    // Nodes are added while it runs.
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_.size() > kMaxSearchedVersions || matches_ > kMaxSearchedMatches) return TooMuch();
      for (const registry::v1::Requirement& requirement : nodes_[i].version->requirements) {
        ASSIGN_OR_RETURN(const size_t need, NeedOf(requirement));
        nodes_[i].needs.push_back(need);
      }
    }
    return absl::OkStatus();
  }

  // The way from the version back to itself, in steps "ledger 2.0.0 requires db/people >=2"; empty:
  // there is none.
  std::vector<std::string> Cycle() const {
    const std::vector<size_t> deployable = Deployable(/*assumed=*/false);
    if (deployable[0] != kNever) return {};
    const std::vector<size_t> counting_on_it = Deployable(/*assumed=*/true);
    for (size_t need : nodes_[0].needs) {
      if (!Met(needs_[need], counting_on_it)) return {};
    }
    std::vector<std::string> steps;
    size_t at = 0;
    do {
      const auto& needs = nodes_[at].needs;
      const auto unmet = std::find_if(needs.begin(), needs.end(),
                                      [&](size_t need) { return !Met(needs_[need], deployable); });
      CHECK(unmet != needs.end());
      const RequiringVersion& version = *nodes_[at].version;
      steps.push_back(absl::StrCat(version.service, " ", version.name.text(), " requires ",
                                   needs_[*unmet].service, " ", needs_[*unmet].expression));
      // What came earlier does not need this one, so the way ends.
      at = First(needs_[*unmet], counting_on_it);
    } while (at != 0);
    return steps;
  }

 private:
  static constexpr size_t kNever = std::numeric_limits<size_t>::max();

  struct Node {
    const RequiringVersion* version;
    std::vector<size_t> needs;
  };
  struct Need {
    std::string service;
    std::string expression;
    std::vector<size_t> candidates;  // nodes
  };
  using VersionKey = std::pair<std::string, std::string>;

  size_t NodeOf(const RequiringVersion& version) {
    const auto [it, fresh] =
        node_of_.emplace(VersionKey(version.service, version.name.text()), nodes_.size());
    if (fresh) nodes_.push_back({&version, {}});
    return it->second;
  }

  absl::StatusOr<size_t> NeedOf(const registry::v1::Requirement& requirement) {
    const auto [it, fresh] = need_of_.emplace(
        VersionKey(requirement.service(), requirement.expression()), needs_.size());
    if (!fresh) return it->second;
    Need& need = needs_.emplace_back();
    need.service = requirement.service();
    need.expression = requirement.expression();
    ASSIGN_OR_RETURN(const std::vector<RequiringVersion>* loaded, Load(need.service));
    std::vector<const RequiringVersion*> versions;
    for (const RequiringVersion& version : *loaded) versions.push_back(&version);
    if (need.service == asked_->service) versions.push_back(asked_);
    if (versions.empty()) return it->second;
    ASSIGN_OR_RETURN(const auto expression,
                     version::Expression::Parse(versions.front()->name.scheme(), need.expression));
    for (const RequiringVersion* version : versions) {
      if (expression.Matches(version->name)) need.candidates.push_back(NodeOf(*version));
    }
    matches_ += versions.size();
    return it->second;
  }

  absl::StatusOr<const std::vector<RequiringVersion>*> Load(const std::string& service) {
    const auto it = loaded_.find(service);
    if (it != loaded_.end()) return &it->second;
    ASSIGN_OR_RETURN(std::vector<RequiringVersion> versions, load_(service));
    return &loaded_.emplace(service, std::move(versions)).first->second;
  }

  // Of each node when it can be deployed, as a number that is greater than those of what it counts
  // on; kNever: it cannot. `assumed`: the version that is asked about can, before all others.
  std::vector<size_t> Deployable(bool assumed) const {
    std::vector<size_t> when(nodes_.size(), kNever);
    size_t next = 0;
    if (assumed) when[0] = next;
    // What is needed was found after what needs it: backwards one pass does most of it.
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = nodes_.size(); i-- > 0;) {
        if (when[i] != kNever) continue;
        const bool met = std::all_of(nodes_[i].needs.begin(), nodes_[i].needs.end(),
                                     [&](size_t need) { return Met(needs_[need], when); });
        if (!met) continue;
        when[i] = ++next;
        changed = true;
      }
    }
    return when;
  }

  // What nothing matches yet may still come.
  static bool Met(const Need& need, const std::vector<size_t>& when) {
    return need.candidates.empty() || First(need, when) != kNever;
  }

  // The candidate that can be deployed first; kNever: none can.
  static size_t First(const Need& need, const std::vector<size_t>& when) {
    size_t first = kNever;
    for (size_t candidate : need.candidates) {
      if (when[candidate] == kNever) continue;
      if (first == kNever || when[candidate] < when[first]) first = candidate;
    }
    return first;
  }

  static absl::Status TooMuch() {
    return Refusal(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                   absl::StrCat("its requirements lead to more than ", kMaxSearchedVersions,
                                " versions, or have more than ", kMaxSearchedMatches,
                                " candidates; retire what nobody needs any more"));
  }

  const VersionsLoader& load_;
  const RequiringVersion* asked_ = nullptr;
  std::map<std::string, std::vector<RequiringVersion>> loaded_;
  std::vector<Node> nodes_;
  std::vector<Need> needs_;
  std::map<VersionKey, size_t> node_of_;
  std::map<VersionKey, size_t> need_of_;
  size_t matches_ = 0;
};

}  // namespace

absl::Status CheckAcyclic(const RequiringVersion& asked, const VersionsLoader& load) {
  if (asked.requirements.empty()) return absl::OkStatus();
  Search search(load);
  RETURN_IF_ERROR(search.Explore(asked));
  std::vector<std::string> steps = search.Cycle();
  if (steps.empty()) return absl::OkStatus();
  const size_t count = steps.size();
  if (count > kShownSteps) {
    steps[kShownSteps - 1] = absl::StrCat("and so on, ", count - kShownSteps + 1, " more");
    steps.resize(kShownSteps);
  }
  const std::string name = absl::StrCat(asked.service, " ", asked.name.text());
  const std::string path = absl::StrJoin(steps, ", ");
  return Refusal(absl::StatusCode::kFailedPrecondition, "REQUIREMENT_CYCLIC",
                 absl::StrCat(name, " could only be deployed after itself: ", path,
                              ", which leads back to ", name,
                              "; loosen one of these requirements, so that an older version "
                              "satisfies it, or take it out"),
                 {{"service", asked.service}, {"version", asked.name.text()}, {"path", path}});
}

}  // namespace pinion::model
