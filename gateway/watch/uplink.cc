#include "gateway/watch/uplink.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace pinion::watch {
namespace {

// Null: nobody can be asked.
std::shared_ptr<GatewayReports> MakeReports(const Uplink::Options& options,
                                            absl::BitGenRef random) {
  if (options.collect_usage == nullptr) return nullptr;
  const auto start = absl::Uniform<uint64_t>(random);
  return std::make_shared<GatewayReports>(
      ReportOptions{.start_id = absl::StrCat(absl::Hex(start, absl::kZeroPad16)),
                    .workers = options.workers,
                    .interval = options.report_interval});
}

// Says once what goes wrong again and again.
void Warn(const absl::Status& status, const char* what, std::string& last) {
  const std::string problem(status.message());
  if (problem == std::exchange(last, problem) || status.ok()) return;
  log::Warning("watch", absl::StrCat("the registry took no ", what, ": ", problem));
}

}  // namespace

Uplink::Uplink(Options options, std::shared_ptr<Mailbox> mailbox, absl::BitGenRef random)
    : options_(std::move(options)),
      mailbox_(std::move(mailbox)),
      reports_(MakeReports(options_, random)) {
  if (options_.pin_proposals != nullptr) {
    options_.pin_proposals->WakeWith(
        [mailbox = mailbox_] { mailbox->Post(Event{.kind = Event::Kind::kProposals}); });
  }
  if (reports_ != nullptr) {
    reports_->WakeWith(
        [mailbox = mailbox_] { mailbox->Post(Event{.kind = Event::Kind::kCollected}); });
  }
}

Uplink::~Uplink() {
  if (reports_ != nullptr) reports_->WakeWith(nullptr);
  if (options_.pin_proposals != nullptr) options_.pin_proposals->WakeWith(nullptr);
}

absl::Time Uplink::collection_due(int64_t revision) const {
  const bool routes = reports_ != nullptr && revision > 0;
  return routes ? reports_->collection_due() : absl::InfiniteFuture();
}

absl::Time Uplink::sending_due() const {
  absl::Time due = absl::InfiniteFuture();
  if (options_.pin_proposals != nullptr) due = std::min(due, options_.pin_proposals->due());
  if (reports_ != nullptr) due = std::min(due, reports_->due());
  return due;
}

void Uplink::Collect(int64_t revision, absl::Time now) {
  if (now < collection_due(revision)) return;
  const int64_t collection = reports_->BeginCollection(revision, now);
  options_.collect_usage([reports = reports_, collection](route::Usage usage) {
    reports->Add(collection, std::move(usage));
  });
}

void Uplink::Send(Channel& channel, const std::string& registry_id, absl::Time now) {
  if (options_.pin_proposals != nullptr) {
    registry::v1::ProposePinsRequest request = options_.pin_proposals->TakeBatch(now);
    if (!request.proposals().empty()) {
      request.set_gateway_id(options_.gateway_id);
      request.set_registry_id(registry_id);
      channel.ProposePins(request, mailbox_);
    }
  }
  if (reports_ == nullptr) return;
  std::optional<registry::v1::ReportGatewayRequest> request = reports_->TakeReport(now);
  if (!request) return;
  request->set_gateway_id(options_.gateway_id);
  request->set_registry_id(registry_id);
  channel.Report(*request, mailbox_);
}

void Uplink::Take(const Event& event, absl::Time now) {
  if (event.kind == Event::Kind::kProposed) {
    options_.pin_proposals->Answer(event.status, event.pins, now);
    Warn(event.status, "pins of first calls", proposal_problem_);
  }
  if (event.kind == Event::Kind::kReported) {
    reports_->Answer(event.status, now);
    Warn(event.status, "report of calls", report_problem_);
  }
}

void Uplink::Tell(WatchStatus& status) const {
  if (options_.pin_proposals != nullptr) status.pin_proposals = options_.pin_proposals->counts();
  if (reports_ != nullptr) status.reports = reports_->counts();
}

}  // namespace pinion::watch
