#include "registry/service/access.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "base/sha256.h"
#include "base/status_macros.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/access/rights.h"
#include "registry/access/token.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/access_book.h"
#include "registry/version/names.h"

namespace pinion::service {
namespace {

// Every registry keeps them all in memory, and reads them again when one changes.
constexpr int64_t kMaxGrants = 10'000;
constexpr int64_t kMaxTokens = 10'000;

std::string NameOf(const v1::Grant& grant) {
  return absl::StrCat(access::RoleText(grant.role(), grant.name()), " to ", grant.subject());
}

absl::Status CheckRoom(Draft& draft, const std::string& prefix, int64_t most,
                       absl::string_view what) {
  ASSIGN_OR_RETURN(const int64_t there, draft.Count(prefix));
  if (there < most) return absl::OkStatus();
  return model::Refusal(
      absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
      absl::StrCat("there are ", there, " ", what, ", and may be no more; remove what nobody uses"),
      {{"count", absl::StrCat(there)}});
}

// 256 random bits: nobody guesses them, so that a plain digest is enough to keep of it.
std::string NewSecret() {
  std::random_device random;
  std::string secret = access::kTokenPrefix;
  for (int i = 0; i < 8; ++i) absl::StrAppend(&secret, absl::Hex(random(), absl::kZeroPad8));
  return secret;
}

absl::StatusOr<absl::Duration> TtlOf(const v1::CreateTokenRequest& request) {
  if (!request.has_ttl()) return access::kDefaultTokenTtl;
  const absl::Duration ttl = FromProto(request.ttl());
  if (ttl >= absl::Seconds(1) && ttl <= access::kMaxTokenTtl) return ttl;
  return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                        absl::StrCat("a token is good for 1s to ",
                                     absl::ToInt64Hours(access::kMaxTokenTtl) / 24, " days"));
}

}  // namespace

absl::StatusOr<v1::AddGrantResponse> AddGrant(Draft& draft, const v1::AddGrantRequest& request) {
  v1::Grant grant = request.grant();
  RETURN_IF_ERROR(access::ValidateGrant(grant));
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  std::sort(grant.mutable_creates()->begin(), grant.mutable_creates()->end());
  const std::string key = model::GrantKey(grant.role(), grant.name(), grant.subject());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Grant>(key));
  grant.clear_meta();
  v1::AddGrantResponse response;
  if (there.has_value()) {
    *grant.mutable_meta() = there->value.meta();
    *response.mutable_grant() = grant;
    if (google::protobuf::util::MessageDifferencer::Equals(grant, there->value)) return response;
    draft.Touch(*grant.mutable_meta());
  } else {
    RETURN_IF_ERROR(CheckRoom(draft, model::kGrants, kMaxGrants, "grants"));
    *grant.mutable_meta() = draft.NewMeta("");
  }
  *response.mutable_grant() = grant;
  response.set_changed(true);
  draft.Put(key, grant);
  RETURN_IF_ERROR(TurnAccessPage(draft));
  draft.Audit("access.grant", NameOf(grant), there.has_value() ? &there->value : nullptr, &grant,
              request.reason());
  return response;
}

absl::StatusOr<v1::RemoveGrantResponse> RemoveGrant(Draft& draft,
                                                    const v1::RemoveGrantRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  const std::string key = model::GrantKey(request.role(), request.name(), request.subject());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Grant>(key));
  if (!there.has_value()) {
    return model::Refusal(
        absl::StatusCode::kNotFound, "GRANT_UNKNOWN",
        absl::StrCat(request.subject(), " was not granted ",
                     access::RoleText(request.role(), request.name()),
                     "; `pinion access list` shows what was, and operators of the registry's "
                     "configuration are removed there"),
        {{"subject", request.subject()}});
  }
  draft.Delete(key);
  RETURN_IF_ERROR(TurnAccessPage(draft));
  draft.Audit("access.revoke", NameOf(there->value), &there->value, nullptr, request.reason());
  return v1::RemoveGrantResponse();
}

absl::StatusOr<v1::ListGrantsResponse> ListGrants(Draft& draft,
                                                  const v1::ListGrantsRequest& request) {
  ASSIGN_OR_RETURN(
      Page<v1::Grant> page,
      draft.List<v1::Grant>(model::kGrants, {request.page_size(), request.page_token()}));
  v1::ListGrantsResponse response;
  for (auto& grant : page.records) *response.add_grants() = std::move(grant.value);
  response.set_next_page_token(page.next_token);
  return response;
}

absl::StatusOr<v1::CreateTokenResponse> CreateToken(Draft& draft,
                                                    const v1::CreateTokenRequest& request) {
  const absl::Status name = version::ValidateServiceName(request.name());
  if (!name.ok()) {
    return model::Refusal(absl::StatusCode::kInvalidArgument, "NAME_MALFORMED",
                          absl::StrCat("token name '", request.name(),
                                       "' must be lower-case letters, digits and -, in parts "
                                       "separated by single /, such as ci/payments"),
                          {{"token", request.name()}});
  }
  RETURN_IF_ERROR(
      model::ValidateText("description", request.description(), model::kMaxDescriptionBytes));
  ASSIGN_OR_RETURN(const absl::Duration ttl, TtlOf(request));
  const std::string key = model::TokenKey(request.name());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::TokenRecord>(key));
  if (there.has_value()) {
    return model::Refusal(
        absl::StatusCode::kAlreadyExists, "TOKEN_EXISTS",
        absl::StrCat("token '", request.name(), "' exists; `pinion token revoke ", request.name(),
                     "` makes room for another, which keeps its grants"),
        {{"token", request.name()}});
  }
  RETURN_IF_ERROR(CheckRoom(draft, model::kTokens, kMaxTokens, "tokens"));
  v1::CreateTokenResponse response;
  response.set_secret(NewSecret());
  v1::TokenRecord record;
  record.set_sha256(Sha256Hex(response.secret()));
  v1::Token& token = *record.mutable_token();
  token.set_name(request.name());
  token.set_description(request.description());
  token.mutable_expire_time()->set_seconds(draft.now().seconds() + absl::ToInt64Seconds(ttl));
  *token.mutable_meta() = draft.NewMeta("");
  *response.mutable_token() = token;
  draft.Put(key, record);
  RETURN_IF_ERROR(TurnAccessPage(draft));
  draft.Audit("token.create", request.name(), nullptr, &token);
  return response;
}

absl::StatusOr<v1::RevokeTokenResponse> RevokeToken(Draft& draft,
                                                    const v1::RevokeTokenRequest& request) {
  RETURN_IF_ERROR(model::ValidateText("reason", request.reason(), model::kMaxReasonBytes));
  const std::string key = model::TokenKey(request.name());
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::TokenRecord>(key));
  if (!there.has_value()) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, draft.NamesUnder(model::kTokens));
    return model::UnknownName("TOKEN_UNKNOWN", "token", request.name(), names,
                              "`pinion token list` shows them");
  }
  draft.Delete(key);
  RETURN_IF_ERROR(TurnAccessPage(draft));
  draft.Audit("token.revoke", request.name(), &there->value.token(), nullptr, request.reason());
  return v1::RevokeTokenResponse();
}

absl::StatusOr<v1::ListTokensResponse> ListTokens(Draft& draft,
                                                  const v1::ListTokensRequest& request) {
  ASSIGN_OR_RETURN(
      Page<v1::TokenRecord> page,
      draft.List<v1::TokenRecord>(model::kTokens, {request.page_size(), request.page_token()}));
  v1::ListTokensResponse response;
  for (auto& record : page.records) {
    v1::Token& token = *record.value.mutable_token();
    SetRevision(token, record.revision);
    *response.add_tokens() = std::move(token);
  }
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace pinion::service
