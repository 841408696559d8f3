#include "gateway/worker/tls_reloader.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "gateway/tls_limits.h"

namespace pinion::worker {
namespace {

std::vector<std::string> FilesOf(const Settings& settings) {
  std::vector<std::string> files;
  const auto add = [&](const std::string& file) {
    if (!file.empty()) files.push_back(file);
  };
  const auto add_certificate = [&](const net::TlsCertificateFiles& certificate) {
    add(certificate.certificate_chain);
    add(certificate.private_key);
  };
  for (const ListenerSettings& listener : settings.listeners) {
    if (!listener.tls.has_value()) continue;
    for (const auto& certificate : listener.tls->certificates) add_certificate(certificate);
    add(listener.tls->trusted_ca);
  }
  for (const UpstreamTlsSettings& upstream : settings.upstream_tls) {
    if (upstream.options.certificate.has_value()) add_certificate(*upstream.options.certificate);
    add(upstream.options.trusted_ca);
  }
  return files;
}

}  // namespace

TlsReloader::TlsReloader(const Settings& settings, const Clock& clock, InForce in_force)
    : settings_(settings),
      clock_(clock),
      in_force_(std::move(in_force)),
      files_(FilesOf(settings)),
      tickets_(std::make_shared<net::TlsTicketKeys>()),
      rotated_(clock.Monotonic()),
      thread_([reloader = this] {
        reloader->Look(reloader->asked_.exchange(false));
        return limits::kTlsLookInterval;
      }) {}

absl::StatusOr<std::unique_ptr<TlsReloader>> TlsReloader::Start(const Settings& settings,
                                                                const Clock& clock,
                                                                InForce in_force) {
  auto reloader = absl::WrapUnique(new TlsReloader(settings, clock, std::move(in_force)));
  // Before reading: what changes meanwhile is seen as changed by the first look.
  reloader->seen_ = reloader->Marks();
  ASSIGN_OR_RETURN(std::shared_ptr<const TlsSet> first,
                   LoadTls(settings, reloader->tickets_, nullptr));
  const MutexLock lock(&reloader->mutex_);
  reloader->current_ = std::move(first);
  return reloader;
}

std::shared_ptr<const TlsSet> TlsReloader::current() const {
  const MutexLock lock(&mutex_);
  return current_;
}

void TlsReloader::LookFromNowOn() {
  if (files_.empty()) return;
  thread_.Start(limits::kTlsLookInterval);
}

void TlsReloader::LookSoon() {
  asked_ = true;
  thread_.RunSoon();
}

std::vector<TlsReloader::FileMark> TlsReloader::Marks() const {
  std::vector<FileMark> marks;
  for (const std::string& file : files_) {
    struct stat status {};
    FileMark& mark = marks.emplace_back();
    if (::stat(file.c_str(), &status) != 0) continue;
    mark.inode = status.st_ino;
    mark.size = status.st_size;
    mark.changed_nanoseconds = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  }
  return marks;
}

void TlsReloader::Look(bool anyway) {
  std::vector<FileMark> marks = Marks();
  // Looked at again until they are good: not all that mends them shows in the marks.
  const bool changed = marks != seen_ || failed_;
  const bool rotate = clock_.Monotonic() - rotated_ >= limits::kTlsTicketRotation;
  if (!changed && !rotate && !anyway) return;
  const auto tickets = rotate ? tickets_->Rotated() : tickets_;
  const std::shared_ptr<const TlsSet> before = current();
  auto set = LoadTls(settings_, tickets, before.get());
  seen_ = std::move(marks);
  failed_ = !set.ok();
  if (failed_) return Fail(set.status());
  if (rotate) rotated_ = clock_.Monotonic();
  tickets_ = tickets;
  const bool other_files = !(*set)->SameFiles(*before);
  PutInForce(*std::move(set));
  if (other_files) {
    log::Info("tls", "certificates were read again; new connections use them");
  } else if (anyway) {
    log::Info("tls", "certificates were read again; they are the same");
  }
}

void TlsReloader::PutInForce(std::shared_ptr<const TlsSet> set) {
  {
    const MutexLock lock(&mutex_);
    if (!set->SameFiles(*current_)) ++reloads_;
    current_ = set;
    problem_.clear();
  }
  in_force_(std::move(set));
}

void TlsReloader::Fail(const absl::Status& status) {
  const MutexLock lock(&mutex_);
  if (problem_ == status.message()) return;  // said and counted
  ++failures_;
  problem_ = std::string(status.message());
  log::Warning("tls",
               absl::StrCat("changed files are not used, what was read before stays: ", problem_));
}

TlsStatus TlsReloader::status() const {
  const MutexLock lock(&mutex_);
  TlsStatus status{.reloads = reloads_, .failures = failures_, .problem = problem_, .expiries = {}};
  for (size_t i = 0; i < current_->listeners.size(); ++i) {
    const auto& context = current_->listeners[i];
    if (context == nullptr) continue;
    status.expiries.emplace_back(settings_.listeners[i].options.name, context->expiry());
  }
  absl::Time upstream = current_->upstream->others->expiry();
  for (const auto& [service, context] : current_->upstream->by_service) {
    upstream = std::min(upstream, context->expiry());
  }
  if (upstream != absl::InfiniteFuture()) status.expiries.emplace_back("upstream", upstream);
  return status;
}

}  // namespace pinion::worker
