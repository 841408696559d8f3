#include "registry/service/access_book.h"

#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "registry/model/keys.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

absl::StatusOr<std::shared_ptr<const AccessBook::Snapshot>> Load(Draft& draft,
                                                                 store::Revision revision) {
  auto snapshot = std::make_shared<AccessBook::Snapshot>();
  snapshot->revision = revision;
  ASSIGN_OR_RETURN(auto grants, draft.All<v1::Grant>(model::kGrants));
  for (Stored<v1::Grant>& grant : grants) {
    snapshot->grants[grant.value.subject()].push_back(std::move(grant.value));
  }
  ASSIGN_OR_RETURN(auto tokens, draft.All<v1::TokenRecord>(model::kTokens));
  for (Stored<v1::TokenRecord>& token : tokens) {
    snapshot->tokens[token.value.sha256()] = std::move(*token.value.mutable_token());
  }
  return snapshot;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const AccessBook::Snapshot>> AccessBook::At(Draft& draft) {
  ASSIGN_OR_RETURN(const auto state, draft.Get<v1::AccessState>(model::kAccessKey));
  const store::Revision revision = state.has_value() ? state->revision : 0;
  {
    MutexLock lock(&mutex_);
    if (newest_ != nullptr && newest_->revision == revision) return newest_;
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Snapshot> snapshot, Load(draft, revision));
  MutexLock lock(&mutex_);
  if (newest_ == nullptr || newest_->revision < revision) newest_ = snapshot;
  return snapshot;
}

absl::Status TurnAccessPage(Draft& draft) {
  ASSIGN_OR_RETURN(const auto state, draft.Get<v1::AccessState>(model::kAccessKey));
  v1::AccessState next;
  if (state.has_value()) next = state->value;
  next.set_changes(next.changes() + 1);
  draft.Put(model::kAccessKey, next);
  return absl::OkStatus();
}

}  // namespace pinion::service
