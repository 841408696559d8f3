#include "auth/key_source.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "auth/limits.h"
#include "base/log.h"
#include "base/read_file.h"
#include "base/status_macros.h"

namespace pinion::auth {
namespace {

// As messages call it: of a URL without its query, which may hold a secret.
std::string PlaceOf(const IssuerOptions& options) {
  return options.file.empty() ? options.url.substr(0, options.url.find('?')) : options.file;
}

std::string KeysOf(const IssuerOptions& options) {
  return absl::StrCat("the keys of issuer ", options.name, ", ", PlaceOf(options));
}

}  // namespace

KeySource::KeySource(std::vector<IssuerOptions> options, const Clock& clock, Fetch fetch,
                     Publish publish)
    : clock_(clock),
      fetch_(std::move(fetch)),
      publish_(std::move(publish)),
      thread_([source = this] { return source->LookAtAll() - source->clock_.Monotonic(); }) {
  auto issuers = std::make_shared<Issuers>();
  for (IssuerOptions& each : options) {
    issuers->push_back({.name = each.name,
                        .audiences = each.audiences,
                        .keys = nullptr,
                        .leeway = each.leeway,
                        .groups_claim = each.groups_claim});
    status_.issuers.push_back({.name = each.name});
    places_.push_back({.options = std::move(each)});
  }
  current_ = std::move(issuers);
}

absl::StatusOr<std::unique_ptr<KeySource>> KeySource::Start(std::vector<IssuerOptions> options,
                                                            const Clock& clock, Fetch fetch,
                                                            Publish publish) {
  std::unique_ptr<KeySource> source(
      new KeySource(std::move(options), clock, std::move(fetch), std::move(publish)));
  for (size_t i = 0; i < source->places_.size(); ++i) {
    if (source->places_[i].options.file.empty()) continue;
    RETURN_IF_ERROR(source->Load(i));
    source->Note(i, absl::OkStatus());
    source->places_[i].due = clock.Monotonic() + limits::kJwtFileLookInterval;
  }
  return source;
}

KeySource::~KeySource() { Stop(); }

void KeySource::Stop() {
  stop_ = true;
  thread_.Stop();
}

std::shared_ptr<const Issuers> KeySource::current() const {
  const MutexLock lock(&mutex_);
  return current_;
}

KeySourceStatus KeySource::status() const {
  const MutexLock lock(&mutex_);
  return status_;
}

void KeySource::RunFromNowOn() {
  if (places_.empty()) return;
  thread_.Start(absl::ZeroDuration());
}

void KeySource::OnUnknownKey() {
  unknown_key_ = true;
  thread_.RunSoon();
}

void KeySource::ReloadSoon() {
  reload_ = true;
  thread_.RunSoon();
}

// What was asked for makes places due.
void KeySource::TakeCalls() {
  const bool unknown_key = unknown_key_.exchange(false);
  const bool reload = reload_.exchange(false);
  for (Place& place : places_) {
    if (reload) place.due = absl::InfinitePast();
    if (unknown_key && !place.options.url.empty()) {
      place.due = std::min(place.due, place.tried + limits::kJwksRest);
    }
  }
}

absl::Time KeySource::LookAtAll() {
  TakeCalls();
  absl::Time next = absl::InfiniteFuture();
  for (size_t i = 0; i < places_.size() && !stop_; ++i) {
    Place& place = places_[i];
    if (place.due <= clock_.Monotonic()) {
      const absl::Status loaded = Load(i);
      const absl::Time now = clock_.Monotonic();
      place.tried = now;
      Note(i, loaded);
      const bool file = place.options.url.empty();
      place.backoff = loaded.ok() ? absl::ZeroDuration()
                                  : std::clamp(place.backoff * 2, limits::kJwksBackoffMin,
                                               limits::kJwksBackoffMax);
      place.due = now + (file          ? limits::kJwtFileLookInterval
                         : loaded.ok() ? place.options.refresh
                                       : std::min(place.backoff, place.options.refresh));
    }
    next = std::min(next, place.due);
  }
  return next;
}

absl::Status KeySource::Load(size_t index) {
  const IssuerOptions& options = places_[index].options;
  auto text = options.url.empty() ? ReadFile(options.file, limits::kJwksBytesMax)
                                  : fetch_(options.url, options.trusted_ca, stop_);
  const absl::Status taken = text.ok() ? Take(index, *std::move(text)) : text.status();
  if (taken.ok()) return taken;
  return absl::InvalidArgumentError(absl::StrCat(KeysOf(options), ": ", taken.message()));
}

absl::Status KeySource::Take(size_t index, std::string text) {
  Place& place = places_[index];
  if (text == place.text) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::shared_ptr<const KeySet> keys, ParseKeySet(text));
  const bool others = !place.text.empty();
  place.text = std::move(text);
  std::shared_ptr<const Issuers> published;
  {
    const MutexLock lock(&mutex_);
    auto issuers = std::make_shared<Issuers>(*current_);
    (*issuers)[index].keys = keys;
    current_ = issuers;
    published = std::move(issuers);
  }
  publish_(std::move(published));
  if (others) {
    log::Info("auth", absl::StrCat(KeysOf(place.options), ": others are in force, ", keys->size(),
                                   " in all"));
  }
  return absl::OkStatus();
}

void KeySource::Note(size_t index, const absl::Status& status) {
  Place& place = places_[index];
  {
    const MutexLock lock(&mutex_);
    KeySourceStatus::Issuer& issuer = status_.issuers[index];
    ++(status.ok() ? issuer.loads : issuer.failures);
    if (status.ok()) issuer.loaded_at = clock_.Monotonic();
  }
  if (stop_ || place.failing == !status.ok()) return;
  place.failing = !status.ok();
  if (status.ok()) {
    log::Info("auth", absl::StrCat(KeysOf(place.options), ": can be had again"));
  } else {
    log::Warning("auth", absl::StrCat(status.message(), "; what was there stays in force"));
  }
}

}  // namespace pinion::auth
