#include "registry/service/watch_hub.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/projection.h"

namespace pinion::service {
namespace {

// One message holds at most this much of the ring, or of a snapshot's records; one that is larger
// goes alone.
constexpr int kMaxBatchRevisions = 256;
constexpr size_t kMaxBatchBytes = 1 << 20;

// Records of a snapshot that are read first, while nobody knows how large they are.
constexpr size_t kRecordsAtFirst = 32;

// How long the follower waits before it asks a store again that did not answer.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

// After so many attempts that failed, each a heartbeat and a pause, what the hub has is not told as
// the newest any more. A watch that only moves to another etcd fails once or twice.
constexpr int kAttempts = 3;

// An overtaken subscription is told so by its next Next(). One that has not come back for it after
// this time is blocked on a peer that does not read at all.
constexpr absl::Duration kCutAfter = absl::Seconds(30);

std::optional<absl::string_view> ValueOf(const store::KeyValue* kv) {
  return kv == nullptr ? std::nullopt : std::optional<absl::string_view>(kv->value);
}

}  // namespace

WatchHub::WatchHub(Registry& registry, const WatchOptions& options)
    : registry_(registry), options_(options) {
  store::Store& store = registry.store();
  // What the store still has fills the ring, so that gateways resume across a restart of the
  // registry.
  floor_ = std::max(store.compact_revision(),
                    store.revision() - static_cast<store::Revision>(options.ring_revisions));
  through_ = floor_;
  followed_at_ = registry.clock().Monotonic();
  watcher_ = store.Watch(store::KeyRange::Prefix(model::kRoutingPrefix), floor_);
  thread_ = std::thread([hub = this] { hub->RunFollower(); });
}

WatchHub::~WatchHub() {
  Stop();
  thread_.join();
}

void WatchHub::Stop() {
  MutexLock lock(&mutex_);
  stopping_ = true;
  watcher_->Cancel();
  changed_.SignalAll();
}

void WatchHub::RunFollower() {
  while (true) {
    store::Watcher* watcher = nullptr;
    {
      MutexLock lock(&mutex_);
      if (stopping_) return;
      watcher = watcher_.get();
    }
    const absl::StatusOr<store::WatchBatch> batch = watcher->Next(options_.heartbeat);
    if (batch.ok()) {
      Append(*batch);
    } else if (absl::IsOutOfRange(batch.status())) {
      log::Warning("registry", "the watch was overtaken by compaction; gateways get snapshots");
      Restart();
    } else if (!absl::IsCancelled(batch.status())) {
      log::Warning("registry", absl::StrCat("cannot follow the store: ", batch.status().message()));
      MutexLock lock(&mutex_);
      NoteUnread(batch.status());
      if (!stopping_) changed_.WaitFor(&mutex_, kRetryAfter);
    }
  }
}

void WatchHub::NoteUnread(absl::Status why) {
  unread_ = std::move(why);
  if (!CheckFollowing().ok()) changed_.SignalAll();
}

void WatchHub::NoteRead() {
  unread_ = absl::OkStatus();
  followed_at_ = registry_.clock().Monotonic();
}

absl::Status WatchHub::CheckFollowing() const {
  // Without an error a quiet store, or a process that stood still, is not one that is away.
  if (unread_.ok()) return absl::OkStatus();
  const absl::Duration since = registry_.clock().Monotonic() - followed_at_;
  if (since <= kAttempts * (options_.heartbeat + kRetryAfter)) return absl::OkStatus();
  return model::Refusal(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                        absl::StrCat("the registry cannot read its store: ", unread_.message()));
}

absl::Status WatchHub::Project(absl::Span<const store::Event> revision,
                               std::vector<Entry>& entries) {
  std::vector<routing::v1::Change> changes;
  for (const store::Event& event : revision) {
    const store::KeyValue* before = event.previous.has_value() ? &*event.previous : nullptr;
    RETURN_IF_ERROR(model::AppendChanges(event.kv.key, ValueOf(before),
                                         ValueOf(event.deleted ? nullptr : &event.kv), changes));
  }
  if (changes.empty()) return absl::OkStatus();
  auto message = std::make_shared<registry::v1::RevisionChanges>();
  message->set_revision(revision.front().kv.mod_revision);
  for (routing::v1::Change& change : changes) *message->add_changes() = std::move(change);
  const size_t bytes = message->ByteSizeLong();
  entries.push_back({std::move(message), bytes});
  return absl::OkStatus();
}

void WatchHub::Append(const store::WatchBatch& batch) {
  std::vector<Entry> entries;
  absl::Status damage;
  store::Revision damaged_revision = 0;
  const absl::Span<const store::Event> events = batch.events;
  for (size_t begin = 0; begin < events.size();) {
    size_t end = begin + 1;
    const store::Revision revision = events[begin].kv.mod_revision;
    while (end < events.size() && events[end].kv.mod_revision == revision) ++end;
    if (absl::Status status = Project(events.subspan(begin, end - begin), entries); !status.ok()) {
      log::Error("registry", absl::StrCat("gateways cannot be told of revision ", revision, ": ",
                                          status.message()));
      damage = std::move(status);
      damaged_revision = revision;
      entries.clear();
    }
    begin = end;
  }
  // What means nothing to gateways wakes none: each would be sent how far the registry is.
  const bool told = !entries.empty() || !damage.ok();
  MutexLock lock(&mutex_);
  if (!damage.ok()) Skip(damaged_revision, std::move(damage));
  for (Entry& entry : entries) {
    ring_bytes_ += entry.bytes;
    ring_.push_back(std::move(entry));
  }
  through_ = batch.through;
  NoteRead();
  Trim();
  if (told) changed_.SignalAll();
}

void WatchHub::Skip(store::Revision revision, absl::Status damage) {
  ring_.clear();
  ring_bytes_ = 0;
  floor_ = damaged_revision_ = revision;
  damage_ = std::move(damage);
}

void WatchHub::Trim() {
  while (!ring_.empty() &&
         (ring_.size() > options_.ring_revisions || ring_bytes_ > options_.ring_bytes)) {
    floor_ = ring_.front().changes->revision();
    ring_bytes_ -= ring_.front().bytes;
    ring_.pop_front();
  }
  const absl::Time now = registry_.clock().Monotonic();
  for (Subscription* subscription : subscriptions_) {
    if (subscription->at_ >= floor_) continue;
    subscription->overtaken_at_ = std::min(subscription->overtaken_at_, now);
    if (now - subscription->overtaken_at_ > kCutAfter) subscription->cut_();
  }
}

void WatchHub::Restart() {
  MutexLock lock(&mutex_);
  if (stopping_) return;
  ring_.clear();
  ring_bytes_ = 0;
  floor_ = through_ = registry_.store().revision();
  watcher_ = registry_.store().Watch(store::KeyRange::Prefix(model::kRoutingPrefix), floor_);
  NoteRead();
  Trim();
  changed_.SignalAll();
}

absl::Status WatchHub::CheckRegistry(const std::string& registry_id) const {
  if (registry_id.empty() || registry_id == registry_.id()) return absl::OkStatus();
  return model::Refusal(absl::StatusCode::kFailedPrecondition, "REGISTRY_ID_MISMATCH",
                        absl::StrCat("this is registry ", registry_.id(), ", not ", registry_id,
                                     ": the gateway holds the state of another one"),
                        {{"registry_id", registry_.id()}, {"asked", registry_id}});
}

absl::StatusOr<std::unique_ptr<WatchHub::Subscription>> WatchHub::Subscribe(
    const registry::v1::WatchRequest& request, std::string peer, std::function<void()> cut) {
  RETURN_IF_ERROR(CheckRegistry(request.registry_id()));
  // A gateway may come from another registry on the same store, which is ahead of this hub.
  ASSIGN_OR_RETURN(const store::Revision newest, registry_.store().Newest());
  if (request.from_revision() > newest) {
    return model::Refusal(
        absl::StatusCode::kFailedPrecondition, "REVISION_AHEAD",
        absl::StrCat("this registry is at revision ", newest, ", the gateway at ",
                     request.from_revision(), ": it was restored from a backup"),
        {{"revision", absl::StrCat(newest)}, {"asked", absl::StrCat(request.from_revision())}});
  }
  registry::v1::GatewayStatus status;
  status.set_gateway_id(request.gateway_id());
  status.set_peer(std::move(peer));
  *status.mutable_connect_time() = ToTimestamp(registry_.clock().Wall());
  auto subscription = absl::WrapUnique(new Subscription(*this, std::move(status), std::move(cut)));
  MutexLock lock(&mutex_);
  if (subscriptions_.size() >= options_.subscriptions_max) {
    return model::Refusal(
        absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
        absl::StrCat(subscriptions_.size(), " gateways watch this registry already, its bound"));
  }
  // Without the id nobody knows which registry the revision is of.
  const bool resumes = !request.registry_id().empty() && request.from_revision() >= floor_;
  subscription->in_snapshot_ = !resumes;
  // A snapshot is of what the store has: a hub that has just begun may be far behind it, and what
  // it still reads would overtake whoever began there.
  subscription->at_ = resumes ? request.from_revision() : std::max(newest, through_);
  subscription->reason_ = request.from_revision() == 0 ? registry::v1::SnapshotChunk::INITIAL
                                                       : registry::v1::SnapshotChunk::COMPACTED;
  subscriptions_.insert(subscription.get());
  return subscription;
}

std::vector<registry::v1::GatewayStatus> WatchHub::Gateways() const {
  MutexLock lock(&mutex_);
  std::vector<registry::v1::GatewayStatus> gateways;
  for (const Subscription* subscription : subscriptions_) gateways.push_back(subscription->status_);
  std::sort(gateways.begin(), gateways.end(),
            [](const auto& a, const auto& b) { return a.gateway_id() < b.gateway_id(); });
  return gateways;
}

WatchCounts WatchHub::counts() const {
  MutexLock lock(&mutex_);
  WatchCounts counts{.watchers = static_cast<int64_t>(subscriptions_.size()),
                     .overtaken = overtaken_};
  for (const Subscription* subscription : subscriptions_) {
    counts.lag = std::max<int64_t>(counts.lag, ring_.end() - FirstAfter(subscription->at_));
  }
  return counts;
}

store::Revision WatchHub::floor() const {
  MutexLock lock(&mutex_);
  return std::max(floor_, through_ - static_cast<store::Revision>(options_.ring_revisions));
}

WatchHub::Subscription::Subscription(WatchHub& hub, registry::v1::GatewayStatus status,
                                     std::function<void()> cut)
    : hub_(hub), cut_(std::move(cut)), status_(std::move(status)), records_(kRecordsAtFirst) {}

WatchHub::Subscription::~Subscription() {
  MutexLock lock(&hub_.mutex_);
  hub_.subscriptions_.erase(this);
}

absl::StatusOr<registry::v1::WatchResponse> WatchHub::Subscription::Next() {
  return in_snapshot_ ? NextSnapshot() : NextChanges();
}

absl::StatusOr<registry::v1::WatchResponse> WatchHub::Subscription::NextSnapshot() {
  store::Revision revision = 0;
  {
    MutexLock lock(&hub_.mutex_);
    if (hub_.stopping_) return absl::UnavailableError("the registry is shutting down");
    revision = at_;
  }
  ASSIGN_OR_RETURN(std::vector<routing::v1::Resource> resources, NextRecords(revision));
  registry::v1::WatchResponse response;
  response.set_registry_id(hub_.registry_.id());
  registry::v1::SnapshotChunk& chunk = *response.mutable_snapshot();
  chunk.set_revision(revision);
  chunk.set_reason(reason_);
  chunk.set_first(std::exchange(first_, false));
  chunk.set_last(prefix_ == model::SnapshotPrefixes().size());
  for (routing::v1::Resource& resource : resources) *chunk.add_resources() = std::move(resource);
  if (chunk.last()) {
    in_snapshot_ = false;
    MutexLock lock(&hub_.mutex_);
    status_.set_sent_revision(revision);
  }
  return response;
}

absl::StatusOr<std::vector<routing::v1::Resource>> WatchHub::Subscription::NextRecords(
    store::Revision revision) {
  store::KeyRange range = store::KeyRange::Prefix(model::SnapshotPrefixes()[prefix_]);
  if (!after_key_.empty()) range.key = after_key_ + '\0';
  const size_t limit = std::min(records_, hub_.options_.snapshot_page);
  ASSIGN_OR_RETURN(const store::RangeResult page,
                   hub_.registry_.store().Range(
                       {.range = std::move(range), .revision = revision, .limit = limit}));
  std::vector<routing::v1::Resource> resources;
  size_t taken = 0;
  size_t bytes = 0;
  for (const store::KeyValue& kv : page.kvs) {
    if (taken > 0 && bytes + kv.value.size() > kMaxBatchBytes) break;
    const absl::Status status = model::AppendResources(kv.key, kv.value, resources);
    if (!status.ok()) {
      log::Error("registry", absl::StrCat("a gateway cannot be told all: ", status.message()));
      return status;
    }
    bytes += kv.value.size();
    ++taken;
  }
  if (taken < page.kvs.size()) {
    after_key_ = page.kvs[taken - 1].key;
    records_ = taken;  // what did not fit is read again
  } else if (page.more) {
    after_key_ = page.kvs.back().key;
    records_ = bytes <= kMaxBatchBytes / 2 ? 2 * limit : limit;
  } else {
    after_key_.clear();
    ++prefix_;
    records_ = kRecordsAtFirst;
  }
  return resources;
}

absl::StatusOr<registry::v1::WatchResponse> WatchHub::Subscription::NextChanges() {
  registry::v1::WatchResponse response;
  response.set_registry_id(hub_.registry_.id());
  MutexLock lock(&hub_.mutex_);
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(hub_.mutex_) {
    return hub_.stopping_ || at_ < hub_.floor_ || !hub_.CheckFollowing().ok() ||
           (!hub_.ring_.empty() && hub_.ring_.back().changes->revision() > at_);
  };
  // Woken for nothing, it says early how far it is, which does no harm.
  if (!ready()) hub_.changed_.WaitFor(&hub_.mutex_, hub_.options_.heartbeat);
  if (hub_.stopping_) return absl::UnavailableError("the registry is shutting down");
  if (at_ < hub_.damaged_revision_) return hub_.damage_;
  if (at_ < hub_.floor_) {
    ++hub_.overtaken_;
    return model::Refusal(
        absl::StatusCode::kResourceExhausted, "WATCH_TOO_SLOW",
        absl::StrCat("the gateway is at revision ", at_, ", the changes since are kept from ",
                     hub_.floor_, " on: it reads too slowly; watch again"),
        {{"revision", absl::StrCat(at_)}, {"floor", absl::StrCat(hub_.floor_)}});
  }
  hub_.CollectChanges(*this, *response.mutable_changes());
  if (response.changes().revisions().empty()) {
    RETURN_IF_ERROR(hub_.CheckFollowing());
    at_ = std::max(at_, hub_.through_);
    response.mutable_progress()->set_revision(at_);
    *response.mutable_progress()->mutable_time() = ToTimestamp(hub_.registry_.clock().Wall());
  }
  status_.set_sent_revision(at_);
  return response;
}

std::deque<WatchHub::Entry>::const_iterator WatchHub::FirstAfter(store::Revision at) const {
  return std::partition_point(ring_.begin(), ring_.end(),
                              [at](const Entry& entry) { return entry.changes->revision() <= at; });
}

void WatchHub::CollectChanges(Subscription& subscription, registry::v1::ChangeBatch& batch) const {
  store::Revision& at = subscription.at_;
  auto it = FirstAfter(at);
  size_t bytes = 0;
  for (; it != ring_.end() && batch.revisions_size() < kMaxBatchRevisions; ++it) {
    bytes += it->bytes;
    if (batch.revisions_size() > 0 && bytes > kMaxBatchBytes) break;
    *batch.add_revisions() = *it->changes;
    at = it->changes->revision();
  }
}

}  // namespace pinion::service
