// Subjects: who a credential says its bearer is, as one text; access.proto has the list. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::access {

// Who can open the registry's own Unix socket. Nothing is granted to it: it may do everything.
inline constexpr char kLocalSubject[] = "local";
// An issuer and a subject, each as long as any identity of a consumer.
inline constexpr size_t kMaxSubjectBytes = 4096;

std::string DnsSubject(absl::string_view name);
std::string JwtSubject(absl::string_view issuer, absl::string_view subject);
std::string GroupSubject(absl::string_view issuer, absl::string_view group);
std::string TokenSubject(absl::string_view token_name);

// Whether something can be granted to it. InvalidArgument: ARGUMENT_INVALID, with what to write.
absl::Status ValidateSubject(absl::string_view subject);

// The same as a consumer's identity; nullopt for what is none: groups, tokens, the socket.
std::optional<routing::v1::Identity> IdentityOf(absl::string_view subject);

}  // namespace pinion::access
