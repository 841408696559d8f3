#include "registry/service/check_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "registry/model/address.h"

namespace pinion::service {

using registry::v1::InstanceCheck;

void CheckLog::Add(const InstanceCheck& before, const registry::v1::Instance& after) {
  const InstanceCheck& check = after.check();
  if (check.verdict() == before.verdict() && check.held_back() == before.held_back()) return;
  const routing::v1::Instance& instance = after.instance();
  Group& group = waiting_[instance.service()][{.verdict = check.verdict(),
                                               .held_back = check.held_back(),
                                               .warning = model::WorthAWarning(before, check)}];
  if (group.count++ == 0) group.message = check.message();
  if (group.examples.size() == kExamplesMax) return;
  group.examples.push_back(
      absl::StrCat(instance.version(), " ", model::AddressText(instance.address())));
}

bool CheckLog::MaySpeak(const std::string& service) const {
  return spoken_.size() < kServicesMax && !spoken_.contains(service);
}

std::vector<CheckLog::Line> CheckLog::Take(absl::Time now) {
  std::vector<Line> lines;
  if (now - window_begin_ >= kWindow) {
    if (waiting_.empty()) return lines;
    window_begin_ = now;
    spoken_.clear();
    if (waiting_.size() > kServicesMax) {
      lines.push_back(Summary());
      waiting_.clear();
    }
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!MaySpeak(it->first)) {
      ++it;
      continue;
    }
    for (const auto& [kind, group] : it->second) lines.push_back(LineOf(it->first, kind, group));
    spoken_.insert(it->first);
    it = waiting_.erase(it);
  }
  return lines;
}

std::vector<CheckLog::Line> CheckLog::TakeAll() {
  window_begin_ = absl::InfinitePast();
  return Take(absl::UnixEpoch());
}

absl::Time CheckLog::NextDue(absl::Time now) const {
  if (waiting_.empty()) return absl::InfiniteFuture();
  for (const auto& [service, groups] : waiting_) {
    if (MaySpeak(service)) return now;
  }
  return window_begin_ + kWindow;
}

std::string CheckLog::Words(const Kind& kind) {
  return absl::StrCat(model::VerdictText(kind.verdict), kind.held_back ? ", no calls" : "");
}

CheckLog::Line CheckLog::LineOf(const std::string& service, const Kind& kind, const Group& group) {
  Line line{.warning = kind.warning};
  if (group.count == 1) {
    line.text = absl::StrCat("instance ", service, " ", group.examples[0], " is ", Words(kind),
                             group.message.empty() ? "" : absl::StrCat(": it ", group.message));
    return line;
  }
  line.text = absl::StrCat(
      group.count, " instances of ", service, " are ", Words(kind), "; for example ",
      absl::StrJoin(group.examples, ", "),
      group.message.empty() ? "" : absl::StrCat("; the first of them ", group.message));
  return line;
}

CheckLog::Line CheckLog::Summary() const {
  Line line;
  size_t count = 0;
  std::map<Kind, size_t> kinds;
  for (const auto& [service, groups] : waiting_) {
    for (const auto& [kind, group] : groups) {
      count += group.count;
      kinds[kind] += group.count;
      line.warning |= kind.warning;
    }
  }
  std::vector<std::string> parts;
  for (const auto& [kind, times] : kinds) {
    parts.push_back(absl::StrCat(times, " are ", Words(kind)));
  }
  line.text = absl::StrCat(count, " instances of ", waiting_.size(),
                           " services: ", absl::StrJoin(parts, ", "),
                           "; `pinion instance list` shows them");
  return line;
}

}  // namespace pinion::service
