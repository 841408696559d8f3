#include "gateway/watch/watcher.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "gateway/watch/mailbox.h"
#include "gateway/watch/recording.h"
#include "gateway/watch/routing_state.h"
#include "gateway/watch/schema_store.h"
#include "gateway/watch/stream.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

constexpr char kPart[] = "watch";

// Null: nobody can be asked.
std::shared_ptr<GatewayReports> MakeReports(const Options& options, absl::BitGen& random) {
  if (options.collect_usage == nullptr) return nullptr;
  const auto start = absl::Uniform<uint64_t>(random);
  return std::make_shared<GatewayReports>(
      ReportOptions{.start_id = absl::StrCat(absl::Hex(start, absl::kZeroPad16)),
                    .workers = options.workers,
                    .interval = options.report_interval});
}

}  // namespace

class Watcher::Impl {
 public:
  Impl(Options options, Publish publish, std::unique_ptr<Recording> recording, Clock& clock)
      : options_(std::move(options)),
        publish_(std::move(publish)),
        clock_(clock),
        reports_(MakeReports(options_, random_)),
        channel_(options_.registry),
        recording_(std::move(recording)),
        state_(options_.gateway_id) {
    if (recording_ != nullptr) {
      recording_->set_patience(absl::Uniform(random_, 1.0, 2.0));
      schemas_.emplace(absl::StrCat(options_.snapshot_dir, "/schemas"));
    }
    if (options_.pin_proposals != nullptr) {
      options_.pin_proposals->WakeWith(
          [mailbox = mailbox_] { mailbox->Post(Event{.kind = Event::Kind::kProposals}); });
    }
    if (reports_ != nullptr) {
      reports_->WakeWith(
          [mailbox = mailbox_] { mailbox->Post(Event{.kind = Event::Kind::kCollected}); });
    }
    thread_ = std::thread([this] { Run(); });
  }

  ~Impl() {
    if (reports_ != nullptr) reports_->WakeWith(nullptr);
    if (options_.pin_proposals != nullptr) options_.pin_proposals->WakeWith(nullptr);
    mailbox_->Post(Event{.kind = Event::Kind::kStop});
    thread_.join();
  }

  WatchStatus status() const {
    absl::MutexLock lock(&mutex_);
    WatchStatus status = status_;
    if (options_.pin_proposals != nullptr) {
      status.pin_proposals = options_.pin_proposals->counts();
    }
    if (reports_ != nullptr) status.reports = reports_->counts();
    if (confirmed_at_) status.age = clock_.Monotonic() - *confirmed_at_;
    return status;
  }

 private:
  void Run() {
    LoadRecording();
    state_.Accept(options_.accepted_registry_id);
    while (!stopping_) {
      RunStream();
      Pause();
    }
  }

  void LoadRecording() {
    if (recording_ == nullptr) return;
    std::vector<std::string> remarks;
    absl::Status status = recording_->Load(state_, remarks);
    for (const std::string& remark : remarks) log::Warning(kPart, remark);
    if (status.ok()) {
      Update([](WatchStatus& now) { now.from_disk = true; });
      status = TakeAndPublish();
    }
    if (status.ok()) {
      log::Info(kPart, absl::StrCat("started from the recording of revision ", state_.revision(),
                                    " in ", options_.snapshot_dir));
    } else if (!absl::IsNotFound(status)) {
      log::Warning(kPart, status.message());
    }
    LoadSchemas();
    // A recording that cannot be continued is replaced as soon as the registry answers.
    if (recording_->wants_snapshot()) state_.RequestSnapshot();
  }

  // ---- one stream ----

  void RunStream() {
    stream_ = channel_.Begin(state_.BeginStream(), mailbox_);
    cancelled_ = false;
    heard_ = false;
    spoken_ = false;
    last_message_ = clock_.Monotonic();
    absl::Status end;
    while (!TakeEvent(end)) {
    }
    stream_.reset();
    if (state_.changed()) PublishOrRefuse();
    if (recording_ != nullptr) recording_->Discard();
    Update([this](WatchStatus& now) {
      now.connected = false;
      ++now.streams_ended;
    });
    if (stopping_ || cancelled_) return;
    Problem(absl::IsUnavailable(end)
                ? absl::StrCat("the registry at ", options_.registry, " is away: ", end.message())
                : absl::StrCat("the registry at ", options_.registry,
                               " ended the stream: ", end.message()));
  }

  // Takes one event, or does what is due. True: the stream has ended with `end`.
  bool TakeEvent(absl::Status& end) {
    const absl::Time now = clock_.Monotonic();
    std::optional<Event> event = mailbox_->Wait(DueIn(now));
    if (!event) {
      DoWhatIsDue();
      return false;
    }
    switch (event->kind) {
      case Event::Kind::kStop:
        stopping_ = true;
        Cancel();
        return false;
      case Event::Kind::kStreamEnded:
        end = event->status;
        return true;
      case Event::Kind::kSchema:
        TakeSchema(*event);
        return false;
      case Event::Kind::kProposals:
        ProposePins();
        return false;
      case Event::Kind::kProposed:
        TakeProposed(*event);
        ProposePins();
        return false;
      case Event::Kind::kCollected:
        Report();
        return false;
      case Event::Kind::kReported:
        TakeReported(*event);
        Report();
        return false;
      case Event::Kind::kMessage:
        stream_->Next();
        if (!cancelled_) TakeMessage(event->message);
        return false;
    }
    return false;
  }

  absl::Duration DueIn(absl::Time now) const {
    if (cancelled_) return absl::InfiniteDuration();
    absl::Time due = last_message_ + limits::kWatchSilenceMax;
    if (state_.changed()) due = std::min(due, last_table_ + limits::kTableInterval);
    if (spoken_ && options_.pin_proposals != nullptr) {
      due = std::min(due, options_.pin_proposals->due());
    }
    due = std::min(due, CollectionDue());
    if (spoken_ && reports_ != nullptr) due = std::min(due, reports_->due());
    return std::max(due - now, absl::ZeroDuration());
  }

  void DoWhatIsDue() {
    const absl::Time now = clock_.Monotonic();
    if (state_.changed() && now >= last_table_ + limits::kTableInterval) PublishOrRefuse();
    ProposePins();
    CollectUsage(now);
    Report();
    if (now < last_message_ + limits::kWatchSilenceMax) return;
    Problem(absl::StrCat("the registry at ", options_.registry, " was silent for ",
                         absl::FormatDuration(limits::kWatchSilenceMax)));
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
      Update([](WatchStatus& now) { ++now.snapshots_received; });
    }
    if (message.has_progress() && !state_.changed()) Confirm();
    if (state_.changed() && last_message_ >= last_table_ + limits::kTableInterval) {
      PublishOrRefuse();
    }
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

  void PublishOrRefuse() {
    const absl::Status status = TakeAndPublish();
    if (!status.ok()) {
      Refuse(status);
      return;
    }
    if (!heard_) return;  // only a schema came
    Update([](WatchStatus& now) { now.from_disk = false; });
    Confirm();
    if (recording_ == nullptr) return;
    const bool snapshot = recording_->snapshot_staged();
    const absl::Status recorded = recording_->Commit();
    if (recorded.ok()) {
      if (snapshot) schemas_->KeepOnly(state_.digests());
      return;
    }
    next_recording_ = clock_.Monotonic() + limits::kRecordingRetry;
    RecordingFailed(recorded);
  }

  void RecordingFailed(const absl::Status& status) {
    log::Error(kPart, absl::StrCat("the last good state is not on disk: ", status.message()));
    Update([](WatchStatus& now) { ++now.recording_failures; });
  }

  absl::Status TakeAndPublish() {
    ASSIGN_OR_RETURN(std::shared_ptr<const route::RouteTable> table, state_.TakeTable());
    publish_(std::move(table));
    last_table_ = clock_.Monotonic();
    Update([this](WatchStatus& now) {
      ++now.tables_published;
      now.registry_id = state_.registry_id();
      now.revision = state_.revision();
    });
    return absl::OkStatus();
  }

  void Refuse(const absl::Status& status) {
    Update([](WatchStatus& now) { ++now.refused; });
    if (recording_ != nullptr) recording_->Discard();
    Problem(absl::StrCat("refused what the registry sent, the last table stays in force: ",
                         status.message()));
    if (stream_ != nullptr) Cancel();
  }

  // The registry says that the last table is what it has.
  void Confirm() {
    if (!spoken_) {
      log::Info(kPart, absl::StrCat("following the registry at ", options_.registry, ", revision ",
                                    state_.revision()));
    }
    spoken_ = true;
    backoff_ = absl::ZeroDuration();
    FetchSchemas();
    ProposePins();
    Report();
    absl::MutexLock lock(&mutex_);
    status_.connected = true;
    status_.revision = state_.revision();
    status_.problem.clear();
    confirmed_at_ = clock_.Monotonic();
  }

  // ---- schemas, for reflection ----

  // Those that the disk has, once the recorded table is in force.
  void LoadSchemas() {
    if (!schemas_.has_value()) return;
    std::vector<SchemaKey> missing;
    while (std::optional<SchemaKey> key = state_.TakeWantedSchema()) {
      absl::StatusOr<std::string> schema = schemas_->Load(key->digest);
      if (schema.ok()) {
        state_.PutSchema(*key, *std::move(schema));
        continue;
      }
      if (!absl::IsNotFound(schema.status())) log::Warning(kPart, schema.status().message());
      missing.push_back(*std::move(key));
    }
    for (SchemaKey& key : missing) state_.WantSchemaAgain(std::move(key));
    if (!state_.changed()) return;
    if (const absl::Status status = TakeAndPublish(); !status.ok()) Refuse(status);
  }

  // REQUIRES: a registry that speaks.
  void FetchSchemas() {
    while (schema_fetches_ < limits::kSchemaFetchesMax) {
      const std::optional<SchemaKey> key = state_.TakeWantedSchema();
      if (!key) return;
      ++schema_fetches_;
      channel_.FetchSchema(*key, mailbox_);
    }
  }

  // A schema that could not be fetched is asked for again when the registry next says something.
  void TakeSchema(Event& event) {
    --schema_fetches_;
    if (event.status.ok()) {
      SaveSchema(event);
      state_.PutSchema(event.schema, std::move(event.descriptor_set));
      if (spoken_ && !cancelled_) FetchSchemas();
      return;
    }
    log::Warning(kPart,
                 absl::StrCat("no schema of ", event.schema.service, " ", event.schema.version,
                              " for reflection: ", std::string(event.status.message())));
    state_.WantSchemaAgain(std::move(event.schema));
  }

  void SaveSchema(const Event& event) {
    if (!schemas_.has_value()) return;
    const absl::Status saved = schemas_->Save(event.schema.digest, event.descriptor_set);
    if (!saved.ok()) RecordingFailed(saved);
  }

  // ---- pins that calls propose ----

  void ProposePins() {
    if (options_.pin_proposals == nullptr || !spoken_ || cancelled_) return;
    registry::v1::ProposePinsRequest request =
        options_.pin_proposals->TakeBatch(clock_.Monotonic());
    if (request.proposals().empty()) return;
    request.set_gateway_id(options_.gateway_id);
    request.set_registry_id(state_.registry_id());
    channel_.ProposePins(request, mailbox_);
  }

  void TakeProposed(const Event& event) {
    options_.pin_proposals->Answer(event.status, event.pins, clock_.Monotonic());
    const std::string problem(event.status.message());
    if (problem == std::exchange(proposal_problem_, problem) || event.status.ok()) return;
    log::Warning(kPart, absl::StrCat("the registry took no pins of first calls: ", problem));
  }

  // ---- what calls use ----

  // Also while the registry is away. Workers hear of tables in their order, so they have this one.
  absl::Time CollectionDue() const {
    const bool routes = reports_ != nullptr && state_.revision() > 0;
    return routes ? reports_->collection_due() : absl::InfiniteFuture();
  }

  void CollectUsage(absl::Time now) {
    if (now < CollectionDue()) return;
    const int64_t collection = reports_->BeginCollection(state_.revision(), now);
    options_.collect_usage([reports = reports_, collection](route::Usage usage) {
      reports->Add(collection, std::move(usage));
    });
  }

  void Report() {
    if (reports_ == nullptr || !spoken_ || cancelled_) return;
    std::optional<registry::v1::ReportGatewayRequest> request =
        reports_->TakeReport(clock_.Monotonic());
    if (!request) return;
    request->set_gateway_id(options_.gateway_id);
    request->set_registry_id(state_.registry_id());
    channel_.Report(*request, mailbox_);
  }

  void TakeReported(const Event& event) {
    reports_->Answer(event.status, clock_.Monotonic());
    const std::string problem(event.status.message());
    if (problem == std::exchange(report_problem_, problem) || event.status.ok()) return;
    log::Warning(kPart, absl::StrCat("the registry took no report of calls: ", problem));
  }

  // ---- between streams ----

  // Full jitter: gateways that lost a registry together do not come back together.
  void Pause() {
    if (stopping_) return;
    heard_ = false;
    const absl::Duration wait = absl::Uniform(random_, 0.5, 1.0) * backoff_;
    backoff_ = std::clamp(backoff_ * 2, limits::kWatchBackoffMin, limits::kWatchBackoffMax);
    const absl::Time until = clock_.Monotonic() + wait;
    while (!stopping_) {
      const absl::Time now = clock_.Monotonic();
      if (now >= until) return;
      CollectUsage(now);
      std::optional<Event> event = mailbox_->Wait(std::min(until, CollectionDue()) - now);
      if (!event) continue;
      stopping_ = event->kind == Event::Kind::kStop;
      if (event->kind == Event::Kind::kSchema) TakeSchema(*event);
      if (event->kind == Event::Kind::kProposed) TakeProposed(*event);
      if (event->kind == Event::Kind::kReported) TakeReported(*event);
      if (state_.changed()) PublishOrRefuse();
    }
  }

  void Problem(const std::string& problem) {
    bool is_new = false;
    Update([&](WatchStatus& now) {
      is_new = now.problem != problem;
      now.problem = problem;
    });
    if (is_new) log::Warning(kPart, problem);
  }

  template <typename Change>
  void Update(Change change) {
    absl::MutexLock lock(&mutex_);
    change(status_);
  }

  const Options options_;
  const Publish publish_;
  Clock& clock_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();

  // Of the thread.
  absl::BitGen random_;
  const std::shared_ptr<GatewayReports> reports_;  // null: none; Add() by the workers
  Channel channel_;
  std::unique_ptr<Recording> recording_;
  std::optional<SchemaStore> schemas_;  // beside the recording
  RoutingState state_;
  std::unique_ptr<Stream> stream_;
  bool cancelled_ = false;  // the stream: what it still brings is dropped
  bool heard_ = false;      // the stream has brought something
  bool spoken_ = false;     // the stream has confirmed or brought a state
  bool stopping_ = false;
  size_t schema_fetches_ = 0;
  std::string proposal_problem_;  // of the last batch
  std::string report_problem_;    // of the last report
  absl::Time last_message_ = absl::InfinitePast();
  absl::Time last_table_ = absl::InfinitePast();
  absl::Time next_recording_ = absl::InfinitePast();
  absl::Duration backoff_;

  mutable absl::Mutex mutex_;
  WatchStatus status_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> confirmed_at_ ABSL_GUARDED_BY(mutex_);

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

}  // namespace pinion::watch
