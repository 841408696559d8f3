// Where the keys of tokens' issuers come from, and how they are kept up to date: files that are
// read again when they change, and JWK Sets that are fetched again and again, on a thread of its
// own. What cannot be read or fetched leaves the keys that were there, so that whoever can stop a
// fetch cannot lock callers out. Thread-safe; owned by the gateway, and by the registry's access.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auth/jwt.h"
#include "auth/limits.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/repeating_thread.h"

namespace pinion::auth {

struct IssuerOptions {
  std::string name;
  std::vector<std::string> audiences;
  // One of the two.
  std::string file;
  std::string url;
  std::string trusted_ca;  // file: who signs the url's certificate; empty: whom the system trusts
  absl::Duration refresh;  // of the url
  absl::Duration leeway = limits::kJwtLeeway;
  std::string groups_claim = {};  // as in Issuer
};

// GETs a text. Gives up when `stop` becomes true. Errors are whole sentences.
using Fetch = std::function<absl::StatusOr<std::string>(
    const std::string& url, const std::string& trusted_ca, const std::atomic<bool>& stop)>;

// By libcurl: HTTPS (TLS 1.2 or more, through the proxy that the environment names), or plain HTTP
// from this machine; no redirects; at most limits::kJwksBytesMax in limits::kJwksTimeout.
absl::StatusOr<std::string> FetchByCurl(const std::string& url, const std::string& trusted_ca,
                                        const std::atomic<bool>& stop);

// For the admin port.
struct KeySourceStatus {
  struct Issuer {
    std::string name;
    uint64_t loads = 0;                           // times that keys were read or fetched
    uint64_t failures = 0;                        // times that this failed
    absl::Time loaded_at = absl::InfinitePast();  // monotonic; InfinitePast: never
  };
  std::vector<Issuer> issuers;
};

class KeySource {
 public:
  // Called once for each change, by the thread that looks.
  using Publish = std::function<void(std::shared_ptr<const Issuers>)>;

  // Reads the files; InvalidArgument when one is not good. What is fetched comes later. `clock`
  // outlives the source.
  static absl::StatusOr<std::unique_ptr<KeySource>> Start(std::vector<IssuerOptions> options,
                                                          const Clock& clock, Fetch fetch,
                                                          Publish publish);
  ~KeySource();
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  std::shared_ptr<const Issuers> current() const;

  // From now on a thread looks and fetches. Once.
  void RunFromNowOn();
  // Ends that thread, and a fetch that runs, within a second; after it nothing is published. The
  // rest may still be called. The destructor does it too.
  void Stop();
  // A token named a key that its issuer does not show: fetches again, but not more often than
  // limits::kJwksRest allows.
  void OnUnknownKey();
  // Reads and fetches all again, soon.
  void ReloadSoon();
  // Does what is due and returns when the next is. Not beside RunFromNowOn().
  absl::Time LookAtAll();

  KeySourceStatus status() const;

 private:
  struct Place {
    IssuerOptions options;
    absl::Time due = absl::InfinitePast();
    absl::Time tried = absl::InfinitePast();
    absl::Duration backoff = absl::ZeroDuration();
    std::string text;      // that the keys were made of
    bool failing = false;  // since the last time; said when it begins and when it ends
  };

  KeySource(std::vector<IssuerOptions> options, const Clock& clock, Fetch fetch, Publish publish);

  void TakeCalls();
  absl::Status Load(size_t index);
  absl::Status Take(size_t index, std::string text);
  void Note(size_t index, const absl::Status& status);

  const Clock& clock_;
  const Fetch fetch_;
  const Publish publish_;
  std::vector<Place> places_;  // of whoever looks

  mutable Mutex mutex_;
  std::shared_ptr<const Issuers> current_ ABSL_GUARDED_BY(mutex_);
  KeySourceStatus status_ ABSL_GUARDED_BY(mutex_);

  std::atomic<bool> unknown_key_{false};
  std::atomic<bool> reload_{false};
  std::atomic<bool> stop_{false};
  RepeatingThread thread_;
};

}  // namespace pinion::auth
