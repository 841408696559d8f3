#include "registry/store/memory_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

// One Next() gives at most this many revisions, so that a watcher far behind does not hold the lock
// for long.
constexpr Revision kWatchRevisions = 256;

}  // namespace

class MemoryStore::MemoryWatcher : public Watcher {
 public:
  MemoryWatcher(MemoryStore& store, KeyRange range, Revision after)
      : store_(store), range_(std::move(range)), after_(after) {}

  absl::StatusOr<WatchBatch> Next(absl::Duration timeout) override {
    MutexLock lock(&store_.mutex_);
    if (after_ == 0) after_ = store_.compact_revision_;
    while (!cancelled_ && store_.revision_ <= after_) {
      if (!store_.changed_.WaitFor(&store_.mutex_, timeout)) break;
    }
    if (cancelled_) return absl::CancelledError("the watch was cancelled");
    if (after_ < store_.compact_revision_) {
      return absl::OutOfRangeError(absl::StrCat("revision ", after_ + 1, " has been compacted"));
    }
    WatchBatch batch;
    batch.through = std::min(store_.revision_, after_ + kWatchRevisions);
    for (Revision revision = after_ + 1; revision <= batch.through; ++revision) {
      std::vector<Event> events = store_.EventsAt(range_, revision);
      std::move(events.begin(), events.end(), std::back_inserter(batch.events));
    }
    after_ = batch.through;
    return batch;
  }

  void Cancel() override {
    MutexLock lock(&store_.mutex_);
    cancelled_ = true;
    store_.changed_.SignalAll();
  }

 private:
  MemoryStore& store_;
  const KeyRange range_;
  Revision after_;
  bool cancelled_ = false;  // guarded by store_.mutex_
};

MemoryStore::MemoryStore(const Clock& clock) : leases_(clock) {}

absl::StatusOr<RangeResult> MemoryStore::Range(const RangeRequest& request) {
  MutexLock lock(&mutex_);
  RangeResult result;
  result.revision = request.revision == 0 ? revision_ : request.revision;
  if (result.revision > revision_ || result.revision < compact_revision_) {
    return absl::OutOfRangeError(absl::StrCat("revision ", result.revision,
                                              " is not there: the store has ", compact_revision_,
                                              " to ", revision_));
  }
  auto begin = keys_.lower_bound(request.range.key);
  auto end = request.range.end.empty() ? keys_.upper_bound(request.range.key)
                                       : keys_.lower_bound(request.range.end);
  // False: there are as many as are wanted.
  const auto take = [&](const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const State* state = At(key, result.revision);
    if (state == nullptr || state->version == 0) return true;
    result.more = request.limit != 0 && result.kvs.size() == request.limit;
    if (result.more) return false;
    ++result.count;
    if (request.count_only) return true;
    result.kvs.push_back(*state);
    if (request.keys_only) result.kvs.back().value.clear();
    return true;
  };
  if (request.descending) {
    while (end != begin && take(std::prev(end)->first)) --end;
  } else {
    while (begin != end && take(begin->first)) ++begin;
  }
  return result;
}

absl::StatusOr<TxnResult> MemoryStore::Commit(Txn txn) {
  RETURN_IF_ERROR(ValidateTxn(txn));
  MutexLock lock(&mutex_);
  TxnResult result;
  result.succeeded = true;
  for (const Compare& compare : txn.compares) {
    result.succeeded = result.succeeded && (compare.end.empty() ? Holds(compare, Live(compare.key))
                                                                : HoldsForAll(compare));
  }
  std::vector<Op>& ops = result.succeeded ? txn.then : txn.otherwise;
  for (const Op& op : ops) {
    const auto* put = std::get_if<Put>(&op);
    if (put != nullptr && put->lease != 0) RETURN_IF_ERROR(leases_.CheckLive(put->lease));
  }
  bool changed = false;
  for (Op& op : ops) changed |= Apply(std::move(op), result.results);
  if (changed) {
    ++revision_;
    changed_.SignalAll();
  }
  result.revision = revision_;
  return result;
}

bool MemoryStore::HoldsForAll(const Compare& compare) const {
  const auto end = keys_.lower_bound(compare.end);
  for (auto it = keys_.lower_bound(compare.key); it != end; ++it) {
    const State* state = Live(it->first);
    if (state != nullptr && !Holds(compare, state)) return false;
  }
  return true;
}

bool MemoryStore::Apply(Op op, std::vector<std::optional<KeyValue>>& results) {
  const std::string& key = std::visit([](auto& o) -> const std::string& { return o.key; }, op);
  const State* before = Live(key);
  results.push_back(before == nullptr ? std::nullopt : std::optional<KeyValue>(*before));
  if (std::holds_alternative<Get>(op)) return false;
  State state{.key = key, .mod_revision = revision_ + 1};
  if (auto* put = std::get_if<Put>(&op)) {
    state.value = std::move(put->value);
    state.lease = put->lease;
    state.create_revision = before == nullptr ? state.mod_revision : before->create_revision;
    state.version = before == nullptr ? 1 : before->version + 1;
  } else if (before == nullptr) {
    return false;
  }
  AddState(std::move(state));
  return true;
}

void MemoryStore::AddState(State state) {
  log_[state.mod_revision].push_back(state.key);
  std::vector<State>& states = keys_[state.key];
  states.push_back(std::move(state));
}

const MemoryStore::State* MemoryStore::At(const std::string& key, Revision revision) const {
  auto it = keys_.find(key);
  if (it == keys_.end()) return nullptr;
  const auto after =
      std::upper_bound(it->second.begin(), it->second.end(), revision,
                       [](Revision r, const State& state) { return r < state.mod_revision; });
  return after == it->second.begin() ? nullptr : &*std::prev(after);
}

const MemoryStore::State* MemoryStore::Live(const std::string& key) const {
  // Not revision_: an earlier op of the running transaction stands at the next one.
  const State* state = At(key, revision_ + 1);
  return state == nullptr || state->version == 0 ? nullptr : state;
}

std::vector<Event> MemoryStore::EventsAt(const KeyRange& range, Revision revision) const {
  std::vector<Event> events;
  auto it = log_.find(revision);
  if (it == log_.end()) return events;
  for (const std::string& key : it->second) {
    if (!range.Contains(key)) continue;
    const State* state = At(key, revision);
    const State* before = At(key, revision - 1);
    Event event{.kv = *state, .deleted = state->version == 0};
    if (before != nullptr && before->version != 0) event.previous = *before;
    events.push_back(std::move(event));
  }
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.kv.key < b.kv.key; });
  return events;
}

std::unique_ptr<Watcher> MemoryStore::Watch(KeyRange range, Revision after) {
  return std::make_unique<MemoryWatcher>(*this, std::move(range), after);
}

absl::Status MemoryStore::Compact(Revision revision) {
  MutexLock lock(&mutex_);
  if (revision > revision_) {
    return absl::OutOfRangeError(
        absl::StrCat("cannot compact to revision ", revision, ": the store is at ", revision_));
  }
  if (revision <= compact_revision_) return absl::OkStatus();
  compact_revision_ = revision;
  log_.erase(log_.begin(), log_.upper_bound(revision));
  for (auto it = keys_.begin(); it != keys_.end();) {
    std::vector<State>& states = it->second;
    auto keep = std::upper_bound(states.begin(), states.end(), revision,
                                 [](Revision r, const State& s) { return r < s.mod_revision; });
    if (keep != states.begin() && std::prev(keep)->version != 0) --keep;
    states.erase(states.begin(), keep);
    it = states.empty() ? keys_.erase(it) : std::next(it);
  }
  return absl::OkStatus();
}

Revision MemoryStore::revision() const {
  MutexLock lock(&mutex_);
  return revision_;
}

Revision MemoryStore::compact_revision() const {
  MutexLock lock(&mutex_);
  return compact_revision_;
}

absl::StatusOr<LeaseId> MemoryStore::GrantLease(absl::Duration ttl) {
  RETURN_IF_ERROR(ValidateLeaseTtl(ttl));
  MutexLock lock(&mutex_);
  leases_.Add(++last_lease_, ttl);
  return last_lease_;
}

absl::StatusOr<absl::Duration> MemoryStore::RenewLease(LeaseId id) {
  MutexLock lock(&mutex_);
  return leases_.Renew(id);
}

std::vector<std::string> MemoryStore::KeysOf(LeaseId id) const {
  std::vector<std::string> keys;
  for (const auto& [key, states] : keys_) {
    const State* state = Live(key);
    if (state != nullptr && state->lease == id) keys.push_back(key);
  }
  return keys;
}

absl::StatusOr<std::vector<ExpiredLease>> MemoryStore::ExpiredLeases() {
  MutexLock lock(&mutex_);
  std::vector<ExpiredLease> expired;
  for (LeaseId id : leases_.Expired()) expired.push_back({id, KeysOf(id)});
  return expired;
}

absl::Status MemoryStore::RevokeLease(LeaseId id) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(leases_.Remove(id).status());
  const std::vector<std::string> keys = KeysOf(id);
  for (const std::string& key : keys) AddState(State{.key = key, .mod_revision = revision_ + 1});
  if (!keys.empty()) {
    ++revision_;
    changed_.SignalAll();
  }
  return absl::OkStatus();
}

}  // namespace pinion::store
