#include "registry/service/finding_recorder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace pinion::service {
namespace {

void Say(const std::vector<CheckLog::Line>& lines) {
  for (const CheckLog::Line& line : lines) {
    line.warning ? log::Warning("registry", line.text) : log::Info("registry", line.text);
  }
}

}  // namespace

FindingRecorder::FindingRecorder(Registry& registry, const Options& options,
                                 std::function<void(const registry::v1::Instance&)> taken_over)
    : registry_(registry), options_(options), taken_over_(std::move(taken_over)) {
  thread_ = std::thread([recorder = this] { recorder->Run(); });
}

FindingRecorder::~FindingRecorder() {
  Stop();
  thread_.join();
}

void FindingRecorder::Stop() {
  MutexLock lock(&mutex_);
  stopping_ = true;
  waiting_.clear();
  order_.clear();
  due_.SignalAll();
  room_.SignalAll();
}

void FindingRecorder::Add(News news, Effect effect) {
  const std::string uid = news.instance.instance().uid();
  const absl::Time now = registry_.clock().Monotonic();
  MutexLock lock(&mutex_);
  while (waiting_.size() >= kWaitingMax && !waiting_.contains(uid) && !stopping_) {
    room_.Wait(&mutex_);
  }
  if (stopping_) return;
  const bool at_once = effect == Effect::kForCalls;
  const auto [it, is_new] = waiting_.try_emplace(uid, Waiting{.due = now + options_.delay});
  it->second.news = std::move(news);
  if (at_once) {
    it->second.due = now;
    order_.push_front(uid);
  } else if (is_new) {
    order_.push_back(uid);
  }
  if (at_once || waiting_.size() == 1 || waiting_.size() == kMaxNewsAtOnce) due_.Signal();
}

void FindingRecorder::Withdraw(const std::string& uid) {
  MutexLock lock(&mutex_);
  if (waiting_.erase(uid) > 0) room_.SignalAll();
}

int64_t FindingRecorder::waiting() {
  MutexLock lock(&mutex_);
  return static_cast<int64_t>(waiting_.size());
}

absl::Time FindingRecorder::NextDue(absl::Time now) {
  if (waiting_.size() >= kMaxNewsAtOnce) return now;
  while (!order_.empty() && !waiting_.contains(order_.front())) order_.pop_front();
  return order_.empty() ? absl::InfiniteFuture() : waiting_.at(order_.front()).due;
}

std::vector<News> FindingRecorder::TakeDue(absl::Time now) {
  std::vector<News> due;
  if (NextDue(now) > now) return due;
  while (!order_.empty() && due.size() < kMaxNewsAtOnce) {
    auto taken = waiting_.extract(order_.front());
    order_.pop_front();
    if (!taken.empty()) due.push_back(std::move(taken.mapped().news));
  }
  room_.SignalAll();
  return due;
}

void FindingRecorder::Run() {
  while (true) {
    std::vector<News> news;
    std::vector<CheckLog::Line> lines;
    {
      MutexLock lock(&mutex_);
      const absl::Time now = registry_.clock().Monotonic();
      news = TakeDue(now);
      lines = stopping_ ? log_.TakeAll() : log_.Take(now);
      if (news.empty() && lines.empty()) {
        if (stopping_) return;
        const absl::Time next = std::min(NextDue(now), log_.NextDue(now));
        due_.WaitFor(&mutex_, next == absl::InfiniteFuture()
                                  ? absl::InfiniteDuration()
                                  : std::min(next - now, options_.period));
        continue;
      }
    }
    Say(lines);
    if (!news.empty()) Write(news);
  }
}

std::vector<absl::StatusOr<registry::v1::Instance>> FindingRecorder::Write(
    absl::Span<const News> news) {
  auto instances = PutFindings(registry_, news);
  absl::Status failure;
  for (const auto& instance : instances) {
    if (instance.ok()) {
      taken_over_(*instance);
    } else if (!absl::IsNotFound(instance.status())) {
      failure.Update(instance.status());
    }
  }
  MutexLock lock(&mutex_);
  for (size_t i = 0; i < news.size(); ++i) {
    if (instances[i].ok()) log_.Add(news[i].instance.check(), *instances[i]);
  }
  Complain(failure);
  due_.Signal();
  return instances;
}

void FindingRecorder::Complain(const absl::Status& status) {
  // Said once, and not of each.
  if (!status.ok() && !failing_) {
    log::Warning("registry",
                 absl::StrCat("what checks of instances found cannot be written down; they are "
                              "asked again: ",
                              status.message()));
  }
  failing_ = !status.ok();
}

absl::StatusOr<registry::v1::Instance> FindingRecorder::Record(const News& news) {
  Withdraw(news.instance.instance().uid());
  return Write(absl::MakeConstSpan(&news, 1)).at(0);
}

}  // namespace pinion::service
