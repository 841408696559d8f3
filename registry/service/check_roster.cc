#include "registry/service/check_roster.h"

#include <algorithm>
#include <utility>

#include "google/protobuf/util/message_differencer.h"

namespace pinion::service {
namespace {

using probe::Question;
using registry::v1::InstanceCheck;

Finding Standing(const InstanceCheck& check) {
  return {.verdict = check.verdict(), .message = check.message()};
}

}  // namespace

void CheckRoster::Put(const registry::v1::Instance& instance, absl::Time now) {
  const std::string& uid = instance.instance().uid();
  const auto [it, is_new] = entries_.try_emplace(uid);
  Entry& entry = it->second;
  const bool same = !is_new && google::protobuf::util::MessageDifferencer::Equals(
                                   entry.instance.instance(), instance.instance());
  // The store's own watch may be ahead of who puts what he has made.
  if (same && instance.meta().revision() < entry.instance.meta().revision()) return;
  entry.instance = instance;
  if (same) return;
  entry.schema.reset();
  MakeDue(uid, entry, now);
}

void CheckRoster::Remove(const std::string& uid) {
  const auto it = entries_.find(uid);
  if (it == entries_.end()) return;
  SetFound(it->second, InstanceCheck::VERDICT_UNSPECIFIED);
  due_.erase({it->second.due, uid});
  entries_.erase(it);
}

void CheckRoster::Clear() {
  entries_.clear();
  due_.clear();
  unreachable_ = 0;
}

void CheckRoster::Hasten(const std::string& service, absl::Time now) {
  for (auto& [uid, entry] : entries_) {
    if (entry.instance.instance().service() == service) MakeDue(uid, entry, now);
  }
}

std::map<std::pair<model::Verdict, bool>, int64_t> CheckRoster::Count() const {
  std::map<std::pair<model::Verdict, bool>, int64_t> counts;
  for (const auto& [uid, entry] : entries_) {
    const InstanceCheck& check = entry.instance.check();
    ++counts[{check.verdict(), check.held_back()}];
  }
  return counts;
}

absl::Time CheckRoster::NextDue() const {
  return due_.empty() ? absl::InfiniteFuture() : due_.begin()->first;
}

CheckRoster::Task CheckRoster::TaskOf(const Entry& entry, absl::Time now) {
  Task task{.instance = entry.instance, .schema = Question::Schema::kIfReconnected};
  // Its schema has been found otherwise than it stands, and must be once more.
  const bool unsettled = entry.schema.has_value() && entry.schema->verdict == entry.found &&
                         entry.found != entry.instance.check().verdict();
  if (!entry.schema.has_value() || unsettled || entry.found == InstanceCheck::UNREACHABLE ||
      now >= entry.schema_due) {
    task.schema = Question::Schema::kYes;
  }
  return task;
}

std::optional<CheckRoster::Task> CheckRoster::TakeDue(absl::Time now) {
  if (NextDue() > now) return std::nullopt;
  Entry& entry = entries_.at(due_.begin()->second);
  due_.erase(due_.begin());
  entry.running = true;
  return TaskOf(entry, now);
}

std::optional<CheckRoster::Task> CheckRoster::Take(const std::string& uid) {
  const auto it = entries_.find(uid);
  if (it == entries_.end()) return std::nullopt;
  return Task{
      .instance = it->second.instance, .schema = Question::Schema::kYes, .out_of_turn = true};
}

std::optional<CheckRoster::Outcome> CheckRoster::Finish(const std::string& uid,
                                                        const Result& result, absl::Time now) {
  const auto it = entries_.find(uid);
  if (it == entries_.end()) return std::nullopt;
  Entry& entry = it->second;
  if (result.schema.has_value()) {
    entry.schema = result.schema;
    entry.schema_due = now + Jittered(times_.schema_interval);
  }
  Outcome outcome;
  if (result.against.has_value()) {
    outcome.found = *result.against;
  } else if (entry.schema.has_value()) {
    outcome.found = *entry.schema;
  } else {
    outcome.found.verdict = InstanceCheck::UNPROVEN;
  }
  SetFound(entry, outcome.found.verdict);

  const InstanceCheck& check = entry.instance.check();
  const int needed = model::FindingsNeeded(check.verdict(), entry.found);
  const bool settled = entry.found == check.verdict() || (needed > 0 && entry.in_a_row >= needed);
  outcome.verdict = settled ? outcome.found : Standing(check);
  Rest(uid, entry, now, WaitOf(entry));
  return outcome;
}

void CheckRoster::Postpone(const std::string& uid, absl::Time now) {
  const auto it = entries_.find(uid);
  if (it != entries_.end()) Rest(uid, it->second, now, times_.health_interval);
}

void CheckRoster::Rest(const std::string& uid, Entry& entry, absl::Time now, absl::Duration wait) {
  const bool hastened = std::exchange(entry.hastened, false) && entry.running;
  entry.running = false;
  SetDue(uid, entry, hastened ? now : now + Jittered(wait));
}

void CheckRoster::SetFound(Entry& entry, model::Verdict found) {
  entry.in_a_row = found == entry.found ? entry.in_a_row + 1 : 1;
  if (entry.found == InstanceCheck::UNREACHABLE) --unreachable_;
  if (found == InstanceCheck::UNREACHABLE) ++unreachable_;
  entry.found = found;
}

absl::Duration CheckRoster::WaitOf(const Entry& entry) const {
  const absl::Duration wait =
      model::NextCheckIn(entry.found, entry.in_a_row, times_.health_interval);
  const InstanceCheck& check = entry.instance.check();
  const bool stands = entry.found == InstanceCheck::UNREACHABLE &&
                      check.verdict() == InstanceCheck::UNREACHABLE && !check.held_back();
  if (!stands) return wait;
  return std::max(wait, model::UnreachableCheckIn(unreachable_, times_.schema_interval));
}

void CheckRoster::SetDue(const std::string& uid, Entry& entry, absl::Time due) {
  due_.erase({entry.due, uid});
  entry.due = due;
  due_.insert({due, uid});
}

void CheckRoster::MakeDue(const std::string& uid, Entry& entry, absl::Time now) {
  entry.in_a_row = 0;
  if (entry.running) {
    entry.hastened = true;
  } else {
    SetDue(uid, entry, now);
  }
}

absl::Duration CheckRoster::Jittered(absl::Duration duration) {
  // From 80 % to 120 %.
  return duration * (0.8 + 0.0001 * static_cast<double>(random_.Below(4001)));
}

}  // namespace pinion::service
