// How audit records are chained: the bytes of a record as they are stored, and the hash that each
// leads to. The layout is AuditLink's in audit.proto. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "pinion/registry/v1/audit.pb.h"
#include "pinion/registry/v1/registry.pb.h"

namespace pinion::model {

// So many changes of one registry can be under way at once; more of them wait for each other. As
// many as one sync of the SQLite store makes durable; a store has as many as were ever needed.
// Chains that stores have already stay when this number changes.
inline constexpr int32_t kAuditChains = 512;
// What verifies takes chains up to here for chains.
inline constexpr int32_t kMaxAuditChains = 4096;

// SHA-256 of the hash before (nothing for the first of a chain) and the bytes.
std::string AuditHash(absl::string_view before, absl::string_view bytes);

// The bytes under which `record` is stored as the next of its chain; `head` becomes its place.
// `link`: what it says beside its place and its hash. REQUIRES: `record` has its id.
std::string ChainAuditRecord(const registry::v1::AuditRecord& record, registry::v1::AuditLink link,
                             registry::v1::AuditHead& head);

// A stored record's parts.
struct StoredAudit {
  std::string id;
  registry::v1::AuditLink link;  // chain 0: it is in none
  absl::string_view hashed;      // the bytes that its hash covers; all of them without a chain
};
// Nullopt: the bytes are no record, or do not end in the hash. `hashed` points into `bytes`.
std::optional<StoredAudit> ParseAudit(absl::string_view bytes);

// The head of the records from before there were chains once `bytes` has followed.
void AddUnchained(absl::string_view id, absl::string_view bytes, registry::v1::AuditHead& head);

// The one of `chain`, which is made where it is missing; `heads` stay in the order of chains.
registry::v1::AuditHead& HeadOf(int32_t chain,
                                google::protobuf::RepeatedPtrField<registry::v1::AuditHead>& heads);
// Null: there is none.
const registry::v1::AuditHead* FindHead(
    int32_t chain, const google::protobuf::RepeatedPtrField<registry::v1::AuditHead>& heads);

// As text that people can sign and keep: registry, revision, time, and a line for each head.
std::string AuditHeadText(const registry::v1::AuditLogState& state);
// Nullopt: AuditHeadText has not written it, or it is cut short. What stands before and after the
// text, a signature for example, is passed over.
std::optional<registry::v1::AuditLogState> ParseAuditHeadText(absl::string_view text);

}  // namespace pinion::model
