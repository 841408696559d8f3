#include "gateway/watch/watcher.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "gateway/watch/mailbox.h"
#include "gateway/watch/recording.h"
#include "gateway/watch/registry_addresses.h"
#include "gateway/watch/routing_state.h"
#include "gateway/watch/schema_fetcher.h"
#include "gateway/watch/stream.h"
#include "gateway/watch/uplink.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

constexpr char kPart[] = "watch";

Uplink::Options UplinkOptions(const Options& options) {
  return {.gateway_id = options.gateway_id,
          .pin_proposals = options.pin_proposals,
          .collect_usage = options.collect_usage,
          .workers = options.workers,
          .report_interval = options.report_interval};
}

}  // namespace

class Watcher::Impl {
 public:
  Impl(Options options, Publish publish, std::unique_ptr<Recording> recording, Clock& clock)
      : options_(std::move(options)),
        publish_(std::move(publish)),
        clock_(clock),
        uplink_(UplinkOptions(options_), mailbox_, random_),
        board_(clock),
        registries_(options_.registries, options_.credentials, random_, board_),
        recording_(std::move(recording)),
        state_(options_.gateway_id),
        schemas_(state_, options_.snapshot_dir) {
    if (recording_ != nullptr) recording_->set_patience(absl::Uniform(random_, 1.0, 2.0));
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    mailbox_->Post(Event{.kind = Event::Kind::kStop});
    thread_.join();
  }

  WatchStatus status() const {
    WatchStatus status = board_.status();
    uplink_.Tell(status);
    return status;
  }

  absl::Status Accept(const std::string& registry_id) {
    const std::optional<Refusal> refusal = board_.status().refusal;
    if (!refusal || refusal->registry_ids.empty()) {
      return absl::FailedPreconditionError(
          refusal ? "what is refused cannot be routed by: it must be corrected in the registry"
                  : "nothing is refused that could be accepted");
    }
    const std::vector<std::string>& ids = refusal->registry_ids;
    if (std::find(ids.begin(), ids.end(), registry_id) == ids.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "what is refused is of registry ", absl::StrJoin(ids, " or "), ", not ", registry_id));
    }
    mailbox_->Post(Event{.kind = Event::Kind::kAccept, .registry_id = registry_id});
    return absl::OkStatus();
  }

 private:
  void Run() {
    LoadRecording();
    state_.Accept(options_.accepted_registry_id);
    while (!stopping_) {
      const StreamEnd end = AddressesAgree() ? RunStream() : StreamEnd::kRefused;
      Pause(registries_.MoveOn(end));
    }
  }

  void LoadRecording() {
    if (recording_ == nullptr) return;
    std::vector<std::string> remarks;
    absl::Status status = recording_->Load(state_, remarks);
    for (const std::string& remark : remarks) log::Warning(kPart, remark);
    if (status.ok()) {
      board_.Update([](WatchStatus& now) { now.from_disk = true; });
      status = TakeAndPublish();
    }
    if (status.ok()) {
      log::Info(kPart, absl::StrCat("started from the recording of revision ", state_.revision(),
                                    " in ", options_.snapshot_dir));
    } else if (!absl::IsNotFound(status)) {
      log::Warning(kPart, status.message());
    }
    schemas_.Load();
    if (state_.changed()) PublishOrRefuse();
    // A recording that cannot be continued is replaced as soon as the registry answers.
    if (recording_->wants_snapshot()) state_.RequestSnapshot();
  }

  // ---- one stream ----

  StreamEnd RunStream() {
    stream_ = registries_.channel().Begin(state_.BeginStream(), mailbox_);
    cancelled_ = false;
    refused_ = false;
    silent_ = false;
    heard_ = false;
    spoken_ = false;
    last_message_ = clock_.Monotonic();
    Event end;
    while (!TakeEvent(end)) {
    }
    stream_.reset();
    if (state_.changed()) PublishOrRefuse();
    if (recording_ != nullptr) recording_->Discard();
    SyncRecording();
    board_.Update([](WatchStatus& now) {
      now.connected = false;
      ++now.streams_ended;
    });
    if (hurry_) return StreamEnd::kAgain;  // where the operator's word wants it
    if (refused_) return StreamEnd::kRefused;
    if (silent_) return spoken_ ? StreamEnd::kBroken : StreamEnd::kFailed;
    return stopping_ || cancelled_ ? StreamEnd::kAgain : EndedBy(end);
  }

  // The registry, or what lies before it, has ended the stream.
  StreamEnd EndedBy(const Event& end) {
    const auto fact = [&end](const char* name) {
      const auto found = end.info.metadata.find(name);
      return found == end.info.metadata.end() ? std::string() : found->second;
    };
    absl::Status origin;
    if (end.info.reason == "REGISTRY_ID_MISMATCH") {
      origin = state_.CheckSnapshot(fact("registry_id"), state_.revision());
      registries_.Note(fact("registry_id"), state_.expected_registry_id());
    } else if (int64_t revision = 0; end.info.reason == "REVISION_AHEAD" &&
                                     absl::SimpleAtoi(fact("revision"), &revision)) {
      origin = state_.CheckSnapshot(state_.registry_id(), revision);
    }
    if (!origin.ok()) {
      Refuse(origin);
      return StreamEnd::kRefused;
    }
    board_.Problem(
        absl::StrCat("the registry at ", registries_.current(),
                     absl::IsUnavailable(end.status) ? " is away: " : " ended the stream: ",
                     std::string(end.status.message())));
    if (end.info.reason == "WATCH_TOO_SLOW") return StreamEnd::kAgain;
    return spoken_ ? StreamEnd::kBroken : StreamEnd::kFailed;
  }

  // Takes one event, or does what is due. True: the stream has ended with `end`.
  bool TakeEvent(Event& end) {
    const absl::Duration due = DueIn(clock_.Monotonic());
    std::optional<Event> event = mailbox_->Wait(due);
    if (event && event->kind == Event::Kind::kStreamEnded) {
      end = *std::move(event);
      return true;
    }
    if (event) Take(*event);
    // Also while events come without a pause, as the schemas of a fleet do.
    if (!event || due == absl::ZeroDuration()) DoWhatIsDue();
    return false;
  }

  void Take(Event& event) {
    switch (event.kind) {
      case Event::Kind::kStop:
        stopping_ = true;
        return Cancel();
      case Event::Kind::kSchema:
        return TakeSchema(event);
      case Event::Kind::kProposals:
      case Event::Kind::kCollected:
      case Event::Kind::kProposed:
      case Event::Kind::kReported:
        uplink_.Take(event, clock_.Monotonic());
        return Send();
      case Event::Kind::kAccept:
        TakeWord(event);
        return Cancel();
      case Event::Kind::kMessage:
        stream_->Next();
        if (!cancelled_) TakeMessage(event.message);
        return;
      case Event::Kind::kStreamEnded:
        return;  // TakeEvent()'s
    }
  }

  absl::Duration DueIn(absl::Time now) const {
    if (cancelled_) return absl::InfiniteDuration();
    absl::Time due = last_message_ + options_.silence_max;
    if (state_.changed()) due = std::min(due, TableDue());
    if (recording_ != nullptr && recording_->wants_sync()) due = std::min(due, next_sync_);
    due = std::min(due, uplink_.collection_due(state_.revision()));
    if (spoken_) due = std::min(due, uplink_.sending_due());
    return std::max(due - now, absl::ZeroDuration());
  }

  void DoWhatIsDue() {
    if (cancelled_) return;
    const absl::Time now = clock_.Monotonic();
    if (state_.changed() && now >= TableDue()) PublishOrRefuse();
    if (now >= next_sync_) SyncRecording();
    uplink_.Collect(state_.revision(), now);
    Send();
    if (now < last_message_ + options_.silence_max) return;
    board_.Problem(absl::StrCat("the registry at ", registries_.current(), " was silent for ",
                                absl::FormatDuration(options_.silence_max)));
    silent_ = true;
    Cancel();
  }

  void TakeMessage(const registry::v1::WatchResponse& message) {
    last_message_ = clock_.Monotonic();
    heard_ = true;
    if (const absl::Status status = state_.Receive(message); !status.ok()) {
      Refuse(status);
      return;
    }
    if (recording_ != nullptr) recording_->Stage(message);
    if (message.snapshot().last()) {
      board_.Update([](WatchStatus& now) { ++now.snapshots_received; });
    }
    if (message.has_progress() && !state_.changed()) Confirm();
    if (state_.changed() && last_message_ >= TableDue()) PublishOrRefuse();
    RenewRecording();
  }

  // The disk needs a snapshot that the stream does not bring by itself.
  void RenewRecording() {
    if (recording_ == nullptr || !recording_->wants_snapshot() || state_.revision() == 0) return;
    if (state_.changed() || last_message_ < next_recording_) return;
    next_recording_ = last_message_ + limits::kRecordingRetry;
    if (!spoken_) return;  // the first one is on its way
    log::Info(kPart, "asking for a fresh snapshot to record");
    state_.RequestSnapshot();
    Cancel();
  }

  void Cancel() {
    if (!cancelled_) stream_->Cancel();
    cancelled_ = true;
  }

  // ---- tables ----

  absl::Time TableDue() const {
    return last_table_ +
           (state_.only_schemas_changed() ? limits::kSchemaTableInterval : limits::kTableInterval);
  }

  void PublishOrRefuse() {
    const absl::Status status = TakeAndPublish();
    if (!status.ok()) {
      Refuse(status);
      return;
    }
    if (!heard_) return;  // only a schema came
    board_.Update([](WatchStatus& now) { now.from_disk = false; });
    Confirm();
    if (recording_ == nullptr) return;
    const bool snapshot = recording_->snapshot_staged();
    const absl::Status recorded = recording_->Commit();
    if (recorded.ok()) {
      if (snapshot) schemas_.Tidy();
      return;
    }
    RecordingLost(recorded);
  }

  void SyncRecording() {
    if (recording_ == nullptr || !recording_->wants_sync()) return;
    if (const absl::Status synced = recording_->Sync(); !synced.ok()) RecordingLost(synced);
    next_sync_ = clock_.Monotonic() + limits::kRecordingSyncInterval;
  }

  void RecordingLost(const absl::Status& status) {
    next_recording_ = clock_.Monotonic() + limits::kRecordingRetry;
    RecordingFailed(status);
  }

  void RecordingFailed(const absl::Status& status) {
    log::Error(kPart, absl::StrCat("the last good state is not on disk: ", status.message()));
    board_.Update([](WatchStatus& now) { ++now.recording_failures; });
  }

  absl::Status TakeAndPublish() {
    ASSIGN_OR_RETURN(std::shared_ptr<const route::RouteTable> table, state_.TakeTable());
    publish_(std::move(table));
    last_table_ = clock_.Monotonic();
    board_.Update([id = state_.registry_id(), revision = state_.revision()](WatchStatus& now) {
      ++now.tables_published;
      now.registry_id = id;
      now.revision = revision;
    });
    return absl::OkStatus();
  }

  void Refuse(const absl::Status& status) {
    if (recording_ != nullptr) recording_->Discard();
    Refusal refusal = state_.refusal();
    refusal.address = registries_.current();
    SayRefused(std::move(refusal),
               absl::StrCat("refused the registry at ", registries_.current(),
                            ", the last table stays in force: ", std::string(status.message())));
    refused_ = true;
    if (stream_ != nullptr) Cancel();
  }

  void SayRefused(Refusal refusal, std::string problem) {
    if (!refusal.registry_ids.empty()) {
      const bool one = refusal.registry_ids.size() == 1;
      absl::StrAppend(&problem, "; if that is intended: ", options_.accept_command, " ",
                      one ? refusal.registry_ids[0] : "ID");
    }
    board_.Refused(std::move(refusal), problem);
  }

  // The registry says that the last table is what it has.
  void Confirm() {
    if (!spoken_) {
      log::Info(kPart, absl::StrCat("following the registry at ", registries_.current(),
                                    ", revision ", state_.revision()));
      registries_.Note(state_.registry_id(), state_.expected_registry_id());
    }
    spoken_ = true;
    registries_.Good();
    schemas_.Fetch(registries_.channel(), mailbox_);
    Send();
    board_.Confirm(state_.revision());
  }

  // ---- several addresses ----

  bool AddressesAgree() {
    Refusal refusal;
    const absl::Status status =
        registries_.Check(options_.gateway_id, state_.expected_registry_id(), clock_, refusal);
    if (!status.ok()) SayRefused(std::move(refusal), std::string(status.message()));
    return status.ok();
  }

  // An operator's.
  void TakeWord(const Event& event) {
    log::Info(kPart, absl::StrCat("an operator accepted registry ", event.registry_id,
                                  ": its next snapshot is taken over as it is"));
    state_.Accept(event.registry_id);
    registries_.ForgetNotes();
    if (const auto refusal = board_.status().refusal) registries_.Choose(refusal->address);
    hurry_ = true;
  }

  // A schema that cannot be fetched now is asked for again when the registry next says something.
  void TakeSchema(Event& event) {
    const bool fetched = event.status.ok();
    if (const absl::Status kept = schemas_.Take(event); !kept.ok()) RecordingFailed(kept);
    if (fetched && spoken_ && !cancelled_) schemas_.Fetch(registries_.channel(), mailbox_);
  }

  void Send() {
    if (!spoken_ || cancelled_) return;
    uplink_.Send(registries_.channel(), state_.registry_id(), clock_.Monotonic());
  }

  // ---- between streams ----

  // Until the next stream; an operator's word ends it.
  void Pause(absl::Duration wait) {
    heard_ = false;
    const absl::Time until = clock_.Monotonic() + wait;
    while (!stopping_ && !std::exchange(hurry_, false)) {
      const absl::Time now = clock_.Monotonic();
      if (now >= until) return;
      uplink_.Collect(state_.revision(), now);
      const absl::Time due = std::min(until, uplink_.collection_due(state_.revision()));
      std::optional<Event> event = mailbox_->Wait(due - now);
      if (!event) continue;
      stopping_ = event->kind == Event::Kind::kStop;
      if (event->kind == Event::Kind::kAccept) TakeWord(*event);
      if (event->kind == Event::Kind::kSchema) TakeSchema(*event);
      uplink_.Take(*event, now);
      if (state_.changed()) PublishOrRefuse();
    }
  }

  const Options options_;
  const Publish publish_;
  Clock& clock_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();

  // Of the thread.
  absl::BitGen random_;
  Uplink uplink_;
  StatusBoard board_;  // read by others
  RegistryAddresses registries_;
  std::unique_ptr<Recording> recording_;
  RoutingState state_;
  SchemaFetcher schemas_;
  std::unique_ptr<Stream> stream_;
  bool cancelled_ = false;  // the stream: what it still brings is dropped
  bool refused_ = false;    // the stream brought what was refused
  bool silent_ = false;     // the stream brought nothing for too long
  bool heard_ = false;      // the stream has brought something
  bool spoken_ = false;     // the stream has confirmed or brought a state
  bool stopping_ = false;
  bool hurry_ = false;  // the next stream begins at once
  absl::Time last_message_ = absl::InfinitePast();
  absl::Time last_table_ = absl::InfinitePast();
  absl::Time next_recording_ = absl::InfinitePast();
  absl::Time next_sync_ = absl::InfinitePast();

  std::thread thread_;  // last: it uses all of the above
};

absl::StatusOr<std::unique_ptr<Watcher>> Watcher::Start(Options options, Publish publish,
                                                        Clock& clock) {
  std::unique_ptr<Recording> recording;
  if (!options.snapshot_dir.empty()) {
    ASSIGN_OR_RETURN(recording, Recording::Open(options.snapshot_dir));
  }
  return std::unique_ptr<Watcher>(new Watcher(
      std::make_unique<Impl>(std::move(options), std::move(publish), std::move(recording), clock)));
}

Watcher::Watcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Watcher::~Watcher() = default;

WatchStatus Watcher::status() const { return impl_->status(); }

absl::Status Watcher::Accept(const std::string& registry_id) { return impl_->Accept(registry_id); }

}  // namespace pinion::watch
