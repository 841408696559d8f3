// Bringing the store to a newer format: docs/internals/migrations.md.
#include "absl/strings/str_cat.h"
#include "registry/model/audit_chain.h"
#include "registry/model/keys.h"
#include "registry/model/store_format.h"
#include "registry/model/validate.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

std::string FormatText(const v1::StoreFormat& format) {
  return absl::StrCat("format ", format.format(), ", for programs of ", format.readable_by(),
                      " and above");
}

// The chains begin with a record that says what the records before them are; nothing may come in
// between.
absl::StatusOr<v1::AuditHead> SealUnchained(Draft& draft) {
  v1::AuditHead seal;
  std::string token;
  do {
    ASSIGN_OR_RETURN(const store::RangeResult page,
                     draft.PageOf(model::kAudit, {.size = kMaxPage, .token = token}));
    for (const store::KeyValue& kv : page.kvs) {
      token = kv.key.substr(absl::string_view(model::kAudit).size());
      model::AddUnchained(token, kv.value, seal);
    }
    if (!page.more) token.clear();
  } while (!token.empty());
  draft.RequireNothingNew(model::kAudit);
  if (seal.sequence() > 0) draft.Put(model::AuditHeadKey(0), seal);
  return seal;
}

}  // namespace

absl::StatusOr<v1::MigrateStoreResponse> MigrateStore(Draft& draft,
                                                      const v1::MigrateStoreRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  ASSIGN_OR_RETURN(const auto stored, draft.Get<v1::StoreFormat>(model::kFormatKey));
  const v1::StoreFormat before = stored.has_value() ? stored->value : model::FormatWithoutRecord();
  v1::MigrateStoreResponse response;
  ASSIGN_OR_RETURN(*response.mutable_format(), model::Migrated(before, request));
  const v1::StoreFormat& after = response.format();
  response.set_changed(after.format() != before.format() ||
                       after.readable_by() != before.readable_by());
  if (!response.changed()) return response;
  draft.Put(model::kFormatKey, after);
  const bool begins =
      before.format() < model::kChainedAuditFormat && after.format() >= model::kChainedAuditFormat;
  v1::AuditHead seal;
  if (begins) {
    ASSIGN_OR_RETURN(seal, SealUnchained(draft));
    draft.BeginChains();
  }
  draft.Audit("registry.migrate", FormatText(after), &before, &after, request.reason());
  if (seal.sequence() > 0) *draft.AuditLink().mutable_before() = seal;
  return response;
}

}  // namespace pinion::service
