// Who may make a call: credentials, grants and the object that it is about, brought before the
// rules of access/. Thread-safe; owned by RegistryServer. A registry without `registry.access` has
// none.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "auth/key_source.h"
#include "base/mutex.h"
#include "google/protobuf/message.h"
#include "pinion/registry/v1/access.pb.h"
#include "registry/access/decision.h"
#include "registry/access/rules.h"
#include "registry/service/access_book.h"
#include "registry/service/credentials.h"
#include "registry/service/registry.h"

namespace pinion::service {

struct AccessOptions {
  std::vector<std::string> operators;  // subjects that may do everything, whatever is granted
  std::vector<auth::IssuerOptions> issuers;
};

class Gatekeeper {
 public:
  // `registry` outlives it. InvalidArgument: a file of an issuer's keys is not good.
  static absl::StatusOr<std::unique_ptr<Gatekeeper>> Start(Registry& registry,
                                                           AccessOptions options);

  // The caller of a method ("pinion.registry.v1.Registry.SetPin"), whose authorize() says whether
  // it may: to be asked in each draft, so that the answer holds when that is committed. `request`
  // outlives the caller, and the gatekeeper does too. Unauthenticated; PermissionDenied: there is
  // no rule for the method.
  absl::StatusOr<Caller> Admit(const ShownCredentials& shown, const std::string& method,
                               const google::protobuf::Message& request);

  // Whether those who have started a job still may, by what `draft` reads. PermissionDenied: no
  // more.
  absl::Status CheckJob(Draft& draft, const v1::JobRecord& record);

  // What a caller is and has.
  absl::StatusOr<v1::WhoAmIResponse> Describe(const ShownCredentials& shown);

  // As CredentialReader.
  void ReloadKeys() { reader_->ReloadKeys(); }

  // Calls that were refused, since the start.
  int64_t unauthenticated() const { return unauthenticated_.load(std::memory_order_relaxed); }
  int64_t denied() const { return denied_.load(std::memory_order_relaxed); }

 private:
  Gatekeeper(Registry& registry, AccessOptions options, std::unique_ptr<CredentialReader> reader);

  absl::StatusOr<access::Rights> RightsOf(const AccessBook::Snapshot& book,
                                          const Bearer& bearer) const;
  absl::StatusOr<v1::Token> TokenOf(const AccessBook::Snapshot& book, const Bearer& bearer) const;
  absl::Status Authorize(Draft& draft, const Bearer& bearer, const access::Rule& rule,
                         const google::protobuf::Message& request, const std::string& owner);
  // Counts and tells of a refusal; gives it back.
  absl::Status Note(const absl::Status& status);

  Registry& registry_;
  const std::vector<std::string> operators_;
  const std::unique_ptr<CredentialReader> reader_;
  AccessBook book_;
  std::atomic<int64_t> unauthenticated_{0};
  std::atomic<int64_t> denied_{0};
  Mutex mutex_;
  absl::Time told_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();  // monotonic
  int64_t untold_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pinion::service
