#include "registry/service/gatekeeper.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "registry/access/subject.h"
#include "registry/service/access_object.h"
#include "registry/service/draft.h"

namespace pinion::service {
namespace {

using google::protobuf::Message;

// Whoever is refused in a loop shall not fill the disk with it.
constexpr absl::Duration kBetweenLines = absl::Seconds(1);

absl::Time ExpiryOf(const v1::Token& token) {
  return absl::FromUnixSeconds(token.expire_time().seconds());
}

// What was asked for when the job was started, as far as rights depend on it.
v1::StartJobRequest RequestOf(const v1::Job& job) {
  v1::StartJobRequest request;
  if (job.has_set_pin()) *request.mutable_set_pin() = job.set_pin();
  if (job.has_move_pins()) *request.mutable_move_pins() = job.move_pins();
  if (job.has_undo_job()) *request.mutable_undo_job() = job.undo_job();
  return request;
}

// The decision, with the caller's registered identities only where grants do not suffice: those
// cost reads.
absl::Status DecideFor(Draft& draft, access::Rights rights, access::Need need,
                       const access::Object& object) {
  absl::Status status = access::Decide(rights, need, object);
  if (status.ok()) return status;
  RETURN_IF_ERROR(AddConsumers(draft, rights));
  return access::Decide(rights, need, object);
}

}  // namespace

Gatekeeper::Gatekeeper(Registry& registry, AccessOptions options,
                       std::unique_ptr<CredentialReader> reader)
    : registry_(registry), operators_(std::move(options.operators)), reader_(std::move(reader)) {}

absl::StatusOr<std::unique_ptr<Gatekeeper>> Gatekeeper::Start(Registry& registry,
                                                              AccessOptions options) {
  ASSIGN_OR_RETURN(auto reader,
                   CredentialReader::Start(std::move(options.issuers), registry.clock()));
  return std::unique_ptr<Gatekeeper>(
      new Gatekeeper(registry, std::move(options), std::move(reader)));
}

absl::StatusOr<v1::Token> Gatekeeper::TokenOf(const AccessBook::Snapshot& book,
                                              const Bearer& bearer) const {
  const auto token = book.tokens.find(bearer.token_sha256);
  if (token == book.tokens.end()) {
    return BadCredential(kCredentialInvalid,
                         "the token is unknown here: it was revoked, or is another registry's");
  }
  const absl::Time expires = ExpiryOf(token->second);
  if (expires <= registry_.clock().Wall()) {
    return BadCredential(
        kCredentialInvalid,
        absl::StrCat("token '", token->second.name(), "' expired at ",
                     absl::FormatTime(absl::RFC3339_sec, expires, absl::UTCTimeZone()),
                     "; an operator makes another: `pinion token revoke ", token->second.name(),
                     "`, `pinion token create ", token->second.name(), "`"));
  }
  return token->second;
}

absl::StatusOr<access::Rights> Gatekeeper::RightsOf(const AccessBook::Snapshot& book,
                                                    const Bearer& bearer) const {
  if (bearer.expire_time <= registry_.clock().Wall()) {
    return BadCredential(kCredentialInvalid, "the credential has expired since the call began");
  }
  std::vector<std::string> subjects = bearer.subjects;
  if (!bearer.token_sha256.empty()) {
    ASSIGN_OR_RETURN(const v1::Token token, TokenOf(book, bearer));
    subjects = {access::TokenSubject(token.name())};
  }
  return access::RightsOf(std::move(subjects), book.grants, operators_);
}

absl::StatusOr<Caller> Gatekeeper::Admit(const ShownCredentials& shown, const std::string& method,
                                         const Message& request) {
  const absl::StatusOr<Bearer> bearer = reader_->Read(shown);
  if (!bearer.ok()) return Note(bearer.status());
  Caller caller;
  Draft draft(registry_, caller);
  ASSIGN_OR_RETURN(const auto book, book_.At(draft));
  const absl::StatusOr<access::Rights> rights = RightsOf(*book, *bearer);
  if (!rights.ok()) return Note(rights.status());
  const access::Rule* rule = access::FindRule(method);
  if (rule == nullptr) return Note(access::DenyUnknown(*rights, method));
  caller.actor = rights->actor;
  caller.subjects = rights->subjects;
  if (rule->need == access::Need::kCreate) {
    caller.owner = access::DefaultOwner(*rights, access::ObjectName(*rule, request).value_or(""));
  }
  std::string owner = access::TextField(request, "owner");
  if (owner.empty()) owner = caller.owner;
  caller.authorize = [gatekeeper = this, bearer = *bearer, rule, asked = &request,
                      owner = std::move(owner)](Draft& changing) {
    return gatekeeper->Note(gatekeeper->Authorize(changing, bearer, *rule, *asked, owner));
  };
  return caller;
}

absl::Status Gatekeeper::Authorize(Draft& draft, const Bearer& bearer, const access::Rule& rule,
                                   const Message& request, const std::string& owner) {
  ASSIGN_OR_RETURN(const auto book, book_.At(draft));
  ASSIGN_OR_RETURN(access::Rights rights, RightsOf(*book, bearer));
  ASSIGN_OR_RETURN(const access::Object object, ObjectOf(draft, rule, request, owner));
  return DecideFor(draft, std::move(rights), rule.need, object);
}

absl::Status Gatekeeper::CheckJob(Draft& draft, const v1::JobRecord& record) {
  if (record.subjects().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto book, book_.At(draft));
  access::Rights rights = access::RightsOf({record.subjects().begin(), record.subjects().end()},
                                           book->grants, operators_);
  const access::Rule* rule = access::FindRule("pinion.registry.v1.Registry.StartJob");
  CHECK(rule != nullptr);
  ASSIGN_OR_RETURN(const access::Object object,
                   ObjectOf(draft, *rule, RequestOf(record.job()), /*owner=*/""));
  return DecideFor(draft, std::move(rights), rule->need, object);
}

absl::StatusOr<v1::WhoAmIResponse> Gatekeeper::Describe(const ShownCredentials& shown) {
  const absl::StatusOr<Bearer> bearer = reader_->Read(shown);
  if (!bearer.ok()) return Note(bearer.status());
  const Caller nobody;
  Draft draft(registry_, nobody);
  ASSIGN_OR_RETURN(const auto book, book_.At(draft));
  absl::StatusOr<access::Rights> rights = RightsOf(*book, *bearer);
  if (!rights.ok()) return Note(rights.status());
  v1::WhoAmIResponse response;
  response.set_access(true);
  response.set_actor(rights->actor);
  for (const std::string& subject : rights->subjects) {
    response.add_subjects(subject);
    const auto held = book->grants.find(subject);
    if (held == book->grants.end()) continue;
    response.mutable_grants()->Add(held->second.begin(), held->second.end());
  }
  response.set_operator_(rights->operates);
  const std::set<std::string> granted = rights->consumers;
  RETURN_IF_ERROR(AddConsumers(draft, *rights));
  for (const std::string& consumer : rights->consumers) {
    if (!granted.contains(consumer)) response.add_consumers(consumer);
  }
  absl::Time expires = bearer->expire_time;
  if (!bearer->token_sha256.empty()) {
    expires = ExpiryOf(book->tokens.at(bearer->token_sha256));
  }
  if (expires < absl::InfiniteFuture()) *response.mutable_expire_time() = ToTimestamp(expires);
  return response;
}

absl::Status Gatekeeper::Note(const absl::Status& status) {
  const bool denied = absl::IsPermissionDenied(status);
  if (!denied && !absl::IsUnauthenticated(status)) return status;
  (denied ? denied_ : unauthenticated_).fetch_add(1, std::memory_order_relaxed);
  int64_t more = 0;
  {
    MutexLock lock(&mutex_);
    const absl::Time now = registry_.clock().Monotonic();
    if (now - told_ < kBetweenLines) {
      ++untold_;
      return status;
    }
    told_ = now;
    more = std::exchange(untold_, 0);
  }
  log::Warning("registry",
               absl::StrCat("a call was refused: ", absl::Utf8SafeCHexEscape(status.message()),
                            more > 0 ? absl::StrCat(" (and ", more, " more before)") : ""));
  return status;
}

}  // namespace pinion::service
