// Operations on grants and tokens, as those of operations.h. That the caller is an operator is the
// gatekeeper's to see to.
#pragma once

#include "absl/status/statusor.h"
#include "pinion/registry/v1/access.pb.h"
#include "registry/service/draft.h"

namespace pinion::service {

namespace v1 = registry::v1;

absl::StatusOr<v1::AddGrantResponse> AddGrant(Draft& draft, const v1::AddGrantRequest& request);
absl::StatusOr<v1::RemoveGrantResponse> RemoveGrant(Draft& draft,
                                                    const v1::RemoveGrantRequest& request);
absl::StatusOr<v1::ListGrantsResponse> ListGrants(Draft& draft,
                                                  const v1::ListGrantsRequest& request);
absl::StatusOr<v1::CreateTokenResponse> CreateToken(Draft& draft,
                                                    const v1::CreateTokenRequest& request);
absl::StatusOr<v1::RevokeTokenResponse> RevokeToken(Draft& draft,
                                                    const v1::RevokeTokenRequest& request);
absl::StatusOr<v1::ListTokensResponse> ListTokens(Draft& draft,
                                                  const v1::ListTokensRequest& request);

}  // namespace pinion::service
