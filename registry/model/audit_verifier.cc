#include "registry/model/audit_verifier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "registry/model/audit_chain.h"

namespace pinion::model {
namespace {

using registry::v1::AuditEntry;
using registry::v1::AuditHead;
using registry::v1::AuditLink;
using registry::v1::AuditLogState;
using Kind = AuditFinding::Kind;

// "chain 7", or the records that are in none.
std::string ChainName(int32_t chain) {
  return chain == 0 ? "the records from before there were chains" : absl::StrCat("chain ", chain);
}

// "number 3 of chain 7 is missing", "numbers 3 to 5 of chain 7 are missing".
std::string MissingText(int64_t first, int64_t last, int32_t chain) {
  return first == last ? absl::StrCat("number ", first, " of ", ChainName(chain), " is missing")
                       : absl::StrCat("numbers ", first, " to ", last, " of ", ChainName(chain),
                                      " are missing");
}

bool SamePlace(const AuditHead& a, const AuditHead& b) {
  return a.sequence() == b.sequence() && a.hash() == b.hash();
}

bool SamePlaces(const google::protobuf::RepeatedPtrField<AuditHead>& a,
                const google::protobuf::RepeatedPtrField<AuditHead>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const AuditHead& one, const AuditHead& other) {
                      return one.chain() == other.chain() && SamePlace(one, other);
                    });
}

bool IsSameRegistry(const AuditLogState& log, const std::string& id) {
  return log.registry_id() == id ||
         std::any_of(log.restored_from().begin(), log.restored_from().end(),
                     [&id](const auto& from) { return from.registry_id() == id; });
}

}  // namespace

absl::string_view FindingWord(Kind kind) {
  switch (kind) {
    case Kind::kChanged:
      return "changed";
    case Kind::kMissing:
      return "missing";
    case Kind::kMisplaced:
      return "misplaced";
    case Kind::kInserted:
      return "inserted";
    case Kind::kUnchained:
      return "unchained";
    case Kind::kTruncated:
      return "truncated";
    case Kind::kHead:
      return "head";
  }
  return "";
}

AuditVerifier::AuditVerifier(const AuditLogState& begin, AuditExtent extent)
    : begin_(begin), extent_(extent) {
  *reached_.mutable_heads() = begin.begins_after();
}

void AuditVerifier::Say(Kind kind, absl::string_view id, std::string message) {
  ++findings_total_;
  if (kind == Kind::kUnchained) ++unchained_total_;
  if (findings_.size() < kMaxFindings) {
    findings_.push_back({kind, std::string(id), std::move(message)});
  }
}

AuditVerifier::Chain& AuditVerifier::ChainOf(int32_t number) {
  const auto [it, is_new] = chains_.try_emplace(number);
  if (is_new) {
    it->second.before.push_back(HeadOf(number, *reached_.mutable_heads()).hash());
    it->second.expected = FindHead(number, expected_.heads());
  }
  return it->second;
}

void AuditVerifier::Expect(const AuditLogState& exported) {
  if (!IsSameRegistry(begin_, exported.registry_id())) {
    Say(Kind::kHead, "",
        absl::StrCat("the exported head is of registry ", exported.registry_id(),
                     ", and this is the log of ", begin_.registry_id()));
    return;
  }
  for (const AuditHead& head : exported.heads()) {
    const AuditHead* start = FindHead(head.chain(), begin_.begins_after());
    if (start != nullptr && start->sequence() > head.sequence()) {
      notes_.push_back(absl::StrCat(ChainName(head.chain()), " begins behind number ",
                                    start->sequence(),
                                    " here, so the exported head cannot be compared: verify the "
                                    "files that hold what was trimmed"));
      continue;
    }
    if (start != nullptr && start->sequence() == head.sequence()) {
      if (!SamePlace(*start, head)) {
        Say(Kind::kHead, head.last_id(),
            absl::StrCat("the log begins behind number ", head.sequence(), " of ",
                         ChainName(head.chain()), ", but not behind the record that was exported"));
      }
      continue;
    }
    // Of two heads of one chain the later one says more.
    AuditHead& expected = HeadOf(head.chain(), *expected_.mutable_heads());
    if (expected.sequence() < head.sequence()) expected = head;
  }
}

void AuditVerifier::Add(const AuditEntry& entry) {
  ++records_;
  if (!last_id_.empty() && entry.id() <= last_id_) {
    Say(Kind::kMisplaced, entry.id(),
        absl::StrCat("record ", entry.id(), " stands behind record ", last_id_));
  }
  last_id_ = entry.id();
  const std::optional<StoredAudit> stored = ParseAudit(entry.record());
  if (!stored.has_value() || stored->link.chain() < 0 || stored->link.chain() > kMaxAuditChains) {
    Say(Kind::kChanged, entry.id(),
        absl::StrCat("record ", entry.id(), " was changed: it is none that a registry writes"));
    return;
  }
  if (stored->id != entry.id()) {
    Say(Kind::kMisplaced, entry.id(),
        absl::StrCat("record ", stored->id, " stands in the place of record ", entry.id()));
  }
  if (stored->link.chain() != 0) {
    AddToChain(entry.id(), stored->link, stored->hashed);
  } else {
    AddBefore(entry);
  }
}

void AuditVerifier::AddBefore(const AuditEntry& entry) {
  const AuditHead* last = FindHead(0, begin_.heads());
  if (last == nullptr || entry.id() > last->last_id()) {
    Say(Kind::kUnchained, entry.id(),
        absl::StrCat("record ", entry.id(),
                     " is in no chain: it was inserted, or written by a program that knows no "
                     "chains yet"));
    return;
  }
  Chain& chain = ChainOf(0);
  AuditHead& reached = HeadOf(0, *reached_.mutable_heads());
  AddUnchained(entry.id(), entry.record(), reached);
  chain.before = {reached.hash()};
  CheckExpected(chain, reached);
}

void AuditVerifier::AddToChain(absl::string_view id, const AuditLink& link,
                               absl::string_view hashed) {
  Chain& chain = ChainOf(link.chain());
  AuditHead& reached = HeadOf(link.chain(), *reached_.mutable_heads());
  if (link.sequence() <= reached.sequence()) {
    Say(Kind::kInserted, id,
        absl::StrCat("record ", id, " is number ", link.sequence(), " of ", ChainName(link.chain()),
                     ", which has come to number ", reached.sequence(), " with record ",
                     reached.last_id(), " already: one of them was inserted or moved"));
    // What follows goes on from the true one.
    if (link.sequence() == reached.sequence()) chain.before.push_back(link.hash());
    return;
  }
  if (link.sequence() > reached.sequence() + 1) {
    Say(Kind::kMissing, id,
        absl::StrCat(MissingText(reached.sequence() + 1, link.sequence() - 1, link.chain()),
                     " before record ", id, ": deleted, or moved elsewhere"));
    chain.before.clear();
  }
  std::vector<std::string> possible;
  for (const std::string& before : chain.before) possible.push_back(AuditHash(before, hashed));
  const bool good = chain.before.empty() ||
                    std::find(possible.begin(), possible.end(), link.hash()) != possible.end();
  if (!good) {
    Say(Kind::kChanged, id,
        absl::StrCat("record ", id, " (", ChainName(link.chain()), ", number ", link.sequence(),
                     ") was changed: its hash is not that of what it says"));
  }
  // A change of its contents leaves the hash that it had, a change of its hash the one it should
  // have.
  chain.before = good ? std::vector<std::string>() : std::move(possible);
  chain.before.push_back(link.hash());
  reached.set_sequence(link.sequence());
  reached.set_hash(link.hash());
  reached.set_last_id(std::string(id));
  CheckExpected(chain, reached);
  if (link.has_before() && good) {
    const AuditHead* before = FindHead(0, begin_.heads());
    if (before == nullptr || !SamePlace(*before, link.before())) {
      Say(Kind::kHead, id,
          absl::StrCat("record ", id,
                       " says otherwise than the log where the records from before "
                       "there were chains end"));
    }
  }
  if (link.trimmed_to_size() > 0) last_trim_ = link;
}

void AuditVerifier::CheckExpected(Chain& chain, const AuditHead& head) {
  if (chain.expected == nullptr || head.sequence() < chain.expected->sequence()) return;
  const std::vector<std::string>& hashes = chain.before;
  if (head.sequence() == chain.expected->sequence() &&
      std::find(hashes.begin(), hashes.end(), chain.expected->hash()) == hashes.end()) {
    Say(Kind::kHead, head.last_id(),
        absl::StrCat("record ", head.last_id(), " is number ", head.sequence(), " of ",
                     ChainName(head.chain()), ", but not the one whose hash was exported"));
  }
  chain.expected = nullptr;
}

void AuditVerifier::CheckEnd(const AuditHead* head, const AuditHead& reached) {
  Chain& chain = ChainOf(reached.chain());
  const std::string name = ChainName(reached.chain());
  if (head == nullptr) {
    Say(Kind::kHead, reached.last_id(),
        absl::StrCat(name, " has records and no head: the head was deleted"));
    return;
  }
  if (reached.sequence() < head->sequence()) {
    Say(Kind::kTruncated, reached.last_id(),
        absl::StrCat(MissingText(reached.sequence() + 1, head->sequence(), reached.chain()),
                     " at the end, the last of them record ", head->last_id()));
  } else if (reached.sequence() > head->sequence()) {
    Say(Kind::kInserted, reached.last_id(),
        absl::StrCat(name, " goes on to number ", reached.sequence(), ", record ",
                     reached.last_id(), ", and its head only to number ", head->sequence(),
                     ": records were added, or the head was set back"));
  } else if (std::find(chain.before.begin(), chain.before.end(), head->hash()) ==
             chain.before.end()) {
    Say(Kind::kHead, reached.last_id(),
        reached.chain() == 0
            ? absl::StrCat("one of ", name, ", up to record ", reached.last_id(),
                           ", was changed, moved, deleted or inserted")
            : absl::StrCat("the head of ", name, " is not the hash of its last record, ",
                           reached.last_id()));
  }
}

void AuditVerifier::CheckTrim() {
  if (extent_ == AuditExtent::kPart) return;
  if (SamePlaces(begin_.trimmed_to(), last_trim_.trimmed_to())) return;
  Say(Kind::kHead, "",
      last_trim_.trimmed_to().empty()
          ? "the log says that its beginning was trimmed, and has no record of that: records were "
            "deleted at the beginning"
          : "the log begins elsewhere than its last record of trimming says: records were deleted "
            "at the beginning, or that record was changed");
}

void AuditVerifier::End(const AuditLogState& end) {
  for (const AuditHead& head : end.heads()) ChainOf(head.chain());  // also those without a record
  const google::protobuf::RepeatedPtrField<AuditHead> reached = reached_.heads();
  for (const AuditHead& head : reached) CheckEnd(FindHead(head.chain(), end.heads()), head);
  for (const AuditHead& head : expected_.heads()) {
    const AuditHead* there = FindHead(head.chain(), reached);
    const int64_t come_to = there == nullptr ? 0 : there->sequence();
    if (come_to >= head.sequence()) continue;
    Say(Kind::kTruncated, head.last_id(),
        absl::StrCat(ChainName(head.chain()), " ends at number ", come_to,
                     ", and was exported up to number ", head.sequence(), ", record ",
                     head.last_id(), ": the log was truncated, or set back"));
  }
  CheckTrim();
}

}  // namespace pinion::model
