#include "gateway/watch/pin_proposals.h"

#include <algorithm>
#include <iterator>

#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

using registry::v1::ProposePinsResponse;

// Those after which the same request may succeed.
bool MaySucceedLater(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsAborted(status);
}

}  // namespace

void PinProposals::Push(std::vector<route::PinProposal> proposals) {
  absl::MutexLock lock(&mutex_);
  const bool was_empty = queue_.empty();
  for (route::PinProposal& proposal : proposals) {
    if (keys_.contains(Key(proposal.consumer, proposal.service))) continue;
    if (keys_.size() >= limits::kPinProposalsQueuedMax) {
      ++counts_.dropped;
      continue;
    }
    keys_.emplace(proposal.consumer, proposal.service);
    queue_.push_back(std::move(proposal));
  }
  if (was_empty && !queue_.empty() && wake_ != nullptr) wake_();
}

void PinProposals::WakeWith(std::function<void()> wake) {
  absl::MutexLock lock(&mutex_);
  wake_ = std::move(wake);
}

registry::v1::ProposePinsRequest PinProposals::TakeBatch(absl::Time now) {
  registry::v1::ProposePinsRequest request;
  absl::MutexLock lock(&mutex_);
  if (!sent_.empty() || now < next_) return request;
  const size_t count = std::min(queue_.size(), limits::kPinProposalsPerRequest);
  for (size_t i = 0; i < count; ++i) {
    const route::PinProposal& proposal = sent_.emplace_back(std::move(queue_.front()));
    queue_.pop_front();
    registry::v1::PinProposal& message = *request.add_proposals();
    message.set_consumer(proposal.consumer);
    message.set_service(proposal.service);
    message.set_version(proposal.version);
  }
  return request;
}

absl::Time PinProposals::due() const {
  absl::MutexLock lock(&mutex_);
  return queue_.empty() || !sent_.empty() ? absl::InfiniteFuture() : next_;
}

void PinProposals::Answer(const absl::Status& status, const ProposePinsResponse& response,
                          absl::Time now) {
  absl::MutexLock lock(&mutex_);
  next_ = now + (status.ok() ? limits::kPinProposalInterval : limits::kPinProposalRetry);
  if (MaySucceedLater(status)) {
    queue_.insert(queue_.begin(), std::make_move_iterator(sent_.begin()),
                  std::make_move_iterator(sent_.end()));
    sent_.clear();
    return;
  }
  for (const route::PinProposal& proposal : sent_) {
    keys_.erase(Key(proposal.consumer, proposal.service));
  }
  const auto count = [&response](ProposePinsResponse::Outcome outcome) {
    return std::count(response.outcomes().begin(), response.outcomes().end(), outcome);
  };
  const int64_t created = count(ProposePinsResponse::CREATED);
  const int64_t existed = count(ProposePinsResponse::EXISTED);
  counts_.created += created;
  counts_.existed += existed;
  // Also what a registry left without an answer.
  const auto sent = static_cast<int64_t>(sent_.size());
  counts_.refused += std::max<int64_t>(sent - created - existed, 0);
  sent_.clear();
}

PinProposals::Counts PinProposals::counts() const {
  absl::MutexLock lock(&mutex_);
  Counts counts = counts_;
  counts.waiting = static_cast<int64_t>(keys_.size());
  return counts;
}

}  // namespace pinion::watch
