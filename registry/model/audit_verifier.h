// Whether an audit log, or a part of it, is what was written: every record that was changed,
// deleted, moved or added is named. Pure; takes one record after the other and keeps some bytes for
// each chain. One thread.
//
//   AuditVerifier verifier(begin, AuditExtent::kWhole);
//   verifier.Expect(exported);            // any number of heads that were exported before
//   for (const AuditEntry& entry : …) verifier.Add(entry);
//   verifier.End(end);                    // findings() are all there are
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "pinion/registry/v1/audit.pb.h"

namespace pinion::model {

struct AuditFinding {
  enum class Kind {
    kChanged,    // the record's bytes are not those that were written
    kMissing,    // records were deleted
    kMisplaced,  // it stands where another one belongs
    kInserted,   // it is one too many
    kUnchained,  // it is in no chain: inserted, or written by an older program
    kTruncated,  // a chain ends too early
    kHead,       // what is said about the log is not so
  };
  Kind kind = Kind::kChanged;
  std::string id;       // of the record; empty: none in particular
  std::string message;  // a sentence
};

// "changed", "missing", …
absl::string_view FindingWord(AuditFinding::Kind kind);

// What is verified: a part of a log says nothing about where the whole begins.
enum class AuditExtent { kWhole, kPart };

class AuditVerifier {
 public:
  // What is named; more of them only count.
  static constexpr size_t kMaxFindings = 1000;

  // `begin`: where the records begin, and the heads that the log says it has.
  AuditVerifier(const registry::v1::AuditLogState& begin, AuditExtent extent);

  // The log must lead to, or past, these heads. Before the first Add().
  void Expect(const registry::v1::AuditLogState& exported);
  // In the order of their ids.
  void Add(const registry::v1::AuditEntry& entry);
  // `heads` of `end`: what the records must have led to.
  void End(const registry::v1::AuditLogState& end);

  // Of what came so far; of a part, where the next one begins.
  const google::protobuf::RepeatedPtrField<registry::v1::AuditHead>& heads() const {
    return reached_.heads();
  }
  const std::vector<AuditFinding>& findings() const { return findings_; }
  int64_t findings_total() const { return findings_total_; }
  // Those of records that are in no chain.
  int64_t unchained_total() const { return unchained_total_; }
  int64_t records() const { return records_; }
  // What is no finding, but worth knowing; each a sentence.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Chain {
    // What may stand before the next record: the hash that the last one has, and the one that it
    // should have. Empty: not known, since records are missing.
    std::vector<std::string> before;
    const registry::v1::AuditHead* expected = nullptr;  // was exported, and has not been passed
  };

  void Say(AuditFinding::Kind kind, absl::string_view id, std::string message);
  Chain& ChainOf(int32_t number);
  void AddToChain(absl::string_view id, const registry::v1::AuditLink& link,
                  absl::string_view hashed);
  void AddBefore(const registry::v1::AuditEntry& entry);
  void CheckExpected(Chain& chain, const registry::v1::AuditHead& head);
  void CheckEnd(const registry::v1::AuditHead* head, const registry::v1::AuditHead& reached);
  void CheckTrim();

  const registry::v1::AuditLogState begin_;
  const AuditExtent extent_;
  registry::v1::AuditLogState expected_;
  registry::v1::AuditLogState reached_;
  std::map<int32_t, Chain> chains_;
  registry::v1::AuditLink last_trim_;
  std::string last_id_;
  std::vector<AuditFinding> findings_;
  int64_t findings_total_ = 0;
  int64_t unchained_total_ = 0;
  int64_t records_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace pinion::model
