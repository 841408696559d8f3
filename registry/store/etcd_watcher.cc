#include "registry/store/etcd_watcher.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;

// A call with a short timeout still learns whether what comes next is compacted, and a long one can
// be cancelled meanwhile.
constexpr absl::Duration kConnect = absl::Milliseconds(2'500);
// How often a waiting call looks whether the member is silent, and how long it may be.
constexpr absl::Duration kLook = absl::Milliseconds(500);
constexpr absl::Duration kSilence = absl::Seconds(2);
constexpr absl::Duration kRetryAfter = absl::Milliseconds(100);

gpr_timespec ToGpr(absl::Duration left) {
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_millis(std::max<int64_t>(0, absl::ToInt64Milliseconds(left)), GPR_TIMESPAN));
}

WatchRequest RequestFor(const KeyRange& range, Revision from) {
  WatchRequest request;
  etcdserverpb::WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(range.key);
  create.set_range_end(range.end);
  create.set_start_revision(from);
  create.set_prev_kv(true);
  create.set_fragment(true);
  return request;
}

void MakeReady(grpc::ClientContext& context) {
  // A member that is cut off from the others ends the watch instead of giving nothing for ever.
  context.AddMetadata("hasleader", "true");
}

}  // namespace

// One operation is under way at any time.
struct EtcdWatcher::Stream {
  enum class Step { kStart, kWrite, kRead, kFinish };

  ~Stream() {
    context.TryCancel();
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
    }
  }
  void Finish() {
    step = Step::kFinish;
    calls->Finish(&status, this);
  }
  void Read() {
    step = Step::kRead;
    calls->Read(&response, this);
  }

  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const EtcdMember* member = nullptr;
  WatchRequest request;
  WatchResponse response;
  grpc::Status status;
  Step step = Step::kStart;
  bool created = false;
  absl::Time since;
  // Last: it ends before what it uses.
  std::unique_ptr<grpc::ClientAsyncReaderWriter<WatchRequest, WatchResponse>> calls;
};

EtcdWatcher::EtcdWatcher(EtcdConnection& connection, const EtcdEncoding& encoding,
                         EtcdCommitter& committer, KeyRange range, Revision after)
    : connection_(connection),
      encoding_(encoding),
      committer_(committer),
      range_(std::move(range)),
      after_(after) {}

EtcdWatcher::~EtcdWatcher() { Disconnect(); }

bool EtcdWatcher::cancelled() const {
  MutexLock lock(&mutex_);
  return cancelled_;
}

void EtcdWatcher::Cancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
  if (stream_ != nullptr) stream_->context.TryCancel();
  changed_.SignalAll();
}

absl::StatusOr<WatchBatch> EtcdWatcher::Next(absl::Duration timeout) {
  const EtcdDeadline deadline = connection_.clock().Monotonic() + timeout;
  while (true) {
    if (cancelled()) return absl::CancelledError("the watch was cancelled");
    if (stream_ == nullptr) {
      absl::Status status = Connect(connection_.clock().Monotonic() + kConnect);
      if (absl::IsOutOfRange(status)) return status;
      last_error_.Update(status);
      if (status.ok()) continue;
      if (connection_.clock().Monotonic() >= deadline) return std::exchange(last_error_, {});
      MutexLock lock(&mutex_);
      if (!cancelled_) changed_.WaitFor(&mutex_, kRetryAfter);
      continue;
    }
    ASSIGN_OR_RETURN(const bool advanced, Advance(deadline));
    if (complete_) {
      complete_ = false;
      last_error_ = absl::OkStatus();
      after_ = batch_.through;
      return std::exchange(batch_, {});
    }
    if (advanced) continue;
    LookForSilence();
    if (connection_.clock().Monotonic() < deadline) continue;
    // While it connects anew, what was wrong is worth telling.
    if (!last_error_.ok()) return std::exchange(last_error_, {});
    return WatchBatch{.through = after_};
  }
}

absl::Status EtcdWatcher::Connect(EtcdDeadline deadline) {
  batch_ = {};
  if (after_ == 0) {
    ASSIGN_OR_RETURN(after_, FindCompactRevision(connection_));
  }
  RETURN_IF_ERROR(CheckNotCompacted(deadline));
  auto stream = std::make_unique<Stream>();
  MakeReady(stream->context);
  stream->member = &connection_.Current(stream->context);
  // With the one that was given last: etcd then says "compacted" when the store's contract does.
  stream->request = RequestFor(encoding_.all(), after_);
  stream->since = connection_.clock().Monotonic();
  stream->calls = stream->member->watch->AsyncWatch(&stream->context, &stream->queue, stream.get());
  silent_since_ = absl::InfiniteFuture();
  asked_for_sign_ = false;
  MutexLock lock(&mutex_);
  if (cancelled_) stream->context.TryCancel();
  stream_ = std::move(stream);
  return absl::OkStatus();
}

absl::Status EtcdWatcher::CheckNotCompacted(EtcdDeadline deadline) {
  etcdserverpb::RangeRequest request;
  request.set_key(encoding_.all().key);
  request.set_revision(after_);
  request.set_count_only(true);
  etcdserverpb::RangeResponse response;
  return connection_.Repeat(
      EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, request, response), deadline);
}

void EtcdWatcher::Disconnect() {
  std::unique_ptr<Stream> stream;
  MutexLock lock(&mutex_);
  stream = std::move(stream_);
}

absl::StatusOr<bool> EtcdWatcher::Advance(EtcdDeadline deadline) {
  const absl::Duration left = std::min(deadline - connection_.clock().Monotonic(), kLook);
  void* tag = nullptr;
  bool ok = false;
  const auto what = stream_->queue.AsyncNext(&tag, &ok, ToGpr(left));
  if (what != grpc::CompletionQueue::GOT_EVENT) return false;
  switch (stream_->step) {
    case Stream::Step::kStart:
      if (!ok) break;
      stream_->step = Stream::Step::kWrite;
      stream_->calls->Write(stream_->request, stream_.get());
      return true;
    case Stream::Step::kWrite:
      if (!ok) break;
      stream_->Read();
      return true;
    case Stream::Step::kRead:
      if (!ok) break;
      RETURN_IF_ERROR(OnRead());
      return true;
    case Stream::Step::kFinish:
      RETURN_IF_ERROR(OnEnd());
      return true;
  }
  stream_->Finish();
  return true;
}

absl::Status EtcdWatcher::OnRead() {
  WatchResponse& response = stream_->response;
  RETURN_IF_ERROR(connection_.Observe(*stream_->member, response.header()));
  if (response.canceled()) {
    if (response.compact_revision() > 0) {
      Disconnect();
      return absl::OutOfRangeError(absl::StrCat("revision ", after_ + 1, " has been compacted"));
    }
    stream_->status = grpc::Status(grpc::StatusCode::UNAVAILABLE, response.cancel_reason());
    return OnEnd();
  }
  stream_->created |= response.created();
  for (mvccpb::Event& event : *response.mutable_events()) {
    const absl::Status status = Take(std::move(event));
    if (status.ok()) continue;
    Disconnect();
    return status;
  }
  if (!response.events().empty()) {
    silent_since_ = absl::InfiniteFuture();
    asked_for_sign_ = false;
  }
  if (!response.fragment() && batch_.through > after_) {
    complete_ = true;
    // Operations of a transaction come in their own order.
    std::stable_sort(batch_.events.begin(), batch_.events.end(),
                     [](const Event& a, const Event& b) {
                       if (a.kv.mod_revision != b.kv.mod_revision)
                         return a.kv.mod_revision < b.kv.mod_revision;
                       return a.kv.key < b.kv.key;
                     });
  }
  stream_->Read();
  return absl::OkStatus();
}

absl::Status EtcdWatcher::Take(mvccpb::Event wire) {
  const Revision revision = wire.kv().mod_revision();
  if (revision <= after_) return absl::OkStatus();
  batch_.through = std::max(batch_.through, revision);
  if (!encoding_.IsData(wire.kv().key())) return absl::OkStatus();
  Event event{.kv = encoding_.Decode(wire.kv()), .deleted = wire.type() == mvccpb::Event::DELETE};
  if (!range_.Contains(event.kv.key)) return absl::OkStatus();
  if (wire.has_prev_kv()) event.previous = encoding_.Decode(wire.prev_kv());
  // etcd leaves out what was compacted since; who reads the changes would take it for created.
  if (!event.previous.has_value() && (event.deleted || event.kv.version > 1)) {
    return absl::OutOfRangeError(
        absl::StrCat("what stood before revision ", revision, " has been compacted"));
  }
  batch_.events.push_back(std::move(event));
  return absl::OkStatus();
}

absl::Status EtcdWatcher::OnEnd() {
  const EtcdVerdict verdict = JudgeEtcd(stream_->status, stream_->member->endpoint);
  last_error_ = verdict.fate == EtcdFate::kDone
                    ? absl::UnavailableError(
                          absl::StrCat("etcd ", stream_->member->endpoint, " ended the watch"))
                    : verdict.status;
  if (verdict.fate == EtcdFate::kStaleToken) connection_.ForgetToken();
  connection_.Leave(*stream_->member);
  Disconnect();
  // What a person has to mend is told at once; all else is tried at another member.
  return verdict.fate == EtcdFate::kRefused && !cancelled() ? last_error_ : absl::OkStatus();
}

void EtcdWatcher::LookForSilence() {
  const absl::Time now = connection_.clock().Monotonic();
  const bool owes_something = connection_.newest() > after_;
  if (!stream_->created) {
    silent_since_ = stream_->since;
  } else if (!owes_something) {
    silent_since_ = absl::InfiniteFuture();
  } else {
    silent_since_ = std::min(silent_since_, now);
  }
  if (now - silent_since_ < kSilence) return;
  if (stream_->created && !asked_for_sign_) {
    // The newest revisions may be of others on the same etcd; one of our own must come.
    asked_for_sign_ = committer_.Mark().ok();
    silent_since_ = now;
    return;
  }
  last_error_ = absl::UnavailableError(
      absl::StrCat("etcd ", stream_->member->endpoint, " gives no changes; another is asked"));
  connection_.Leave(*stream_->member);
  Disconnect();
}

absl::StatusOr<Revision> FindCompactRevision(EtcdConnection& connection) {
  etcdserverpb::RangeRequest request;
  request.set_key(connection.options().prefix);
  request.set_revision(1);
  request.set_count_only(true);
  etcdserverpb::RangeResponse response;
  const absl::Status readable = connection.Repeat(
      EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, request, response),
      connection.Deadline());
  if (readable.ok()) return 1;
  if (!absl::IsOutOfRange(readable)) return readable;
  // Only a watch that comes too late is told.
  Revision found = 0;
  RETURN_IF_ERROR(connection.Repeat(
      [&connection, &found](const EtcdMember& member, grpc::ClientContext& context,
                            etcdserverpb::ResponseHeader& header) {
        MakeReady(context);
        const auto stream = member.watch->Watch(&context);
        WatchResponse answer;
        bool more = stream->Write(RequestFor(KeyRange::Prefix(connection.options().prefix), 1));
        while (more && found == 0) {
          more = stream->Read(&answer);
          found = answer.compact_revision();
        }
        header = answer.header();
        context.TryCancel();
        const grpc::Status status = stream->Finish();
        if (found > 0) return grpc::Status::OK;
        return status.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "no answer") : status;
      },
      connection.Deadline()));
  return found;
}

}  // namespace pinion::store
