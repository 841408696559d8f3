// A log of three chains, and everything that can be done to it.
#include "registry/model/audit_verifier.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/audit_chain.h"

namespace pinion::model {
namespace {

using registry::v1::AuditEntry;
using registry::v1::AuditHead;
using registry::v1::AuditLink;
using registry::v1::AuditLogState;
using registry::v1::AuditRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kRegistry[] = "0123456789abcdef0123456789abcdef";

std::string IdOf(int number) { return absl::StrFormat("%020d", number); }

AuditRecord Record(int number) {
  AuditRecord record;
  record.set_id(IdOf(number));
  record.set_actor("ann");
  record.set_command("pin.set");
  record.set_object(absl::StrCat("billing addressbook ", number));
  return record;
}

struct Log {
  AuditLogState state;
  std::vector<AuditEntry> entries;

  Log() { state.set_registry_id(kRegistry); }
  void Add(int number, std::string bytes) {
    AuditEntry& entry = entries.emplace_back();
    entry.set_id(IdOf(number));
    entry.set_record(std::move(bytes));
  }
  void AddUnchained(int number) {
    Add(number, Record(number).SerializeAsString());
    model::AddUnchained(IdOf(number), entries.back().record(), HeadOf(0, *state.mutable_heads()));
  }
  void AddChained(int number, int chain, AuditLink link = {}) {
    Add(number,
        ChainAuditRecord(Record(number), std::move(link), HeadOf(chain, *state.mutable_heads())));
  }
};

// Records 1 to 3 from before there were chains, 4 that begins them, and twelve in chains 1 to 3.
Log WholeLog() {
  Log log;
  for (int number = 1; number <= 3; ++number) log.AddUnchained(number);
  AuditLink seal;
  *seal.mutable_before() = log.state.heads(0);
  log.AddChained(4, 1, seal);
  for (int number = 5; number <= 16; ++number) log.AddChained(number, 1 + number % 3);
  return log;
}

AuditVerifier Verified(const Log& log, const AuditLogState* exported = nullptr) {
  AuditVerifier verifier(log.state, AuditExtent::kWhole);
  if (exported != nullptr) verifier.Expect(*exported);
  for (const AuditEntry& entry : log.entries) verifier.Add(entry);
  verifier.End(log.state);
  return verifier;
}

// "word number" of each finding; without a number where no record is meant.
std::vector<std::string> Findings(const Log& log, const AuditLogState* exported = nullptr) {
  std::vector<std::string> words;
  const AuditVerifier verifier = Verified(log, exported);
  for (const AuditFinding& finding : verifier.findings()) {
    const size_t digits = finding.id.find_first_not_of('0');
    words.push_back(absl::StrCat(FindingWord(finding.kind), " ",
                                 digits == std::string::npos ? "" : finding.id.substr(digits)));
  }
  return words;
}

TEST(AuditVerifier, AWholeLogIsFine) {
  const Log log = WholeLog();
  EXPECT_THAT(Findings(log), IsEmpty());
  EXPECT_THAT(Findings(log, &log.state), IsEmpty());
  EXPECT_EQ(Verified(log).records(), 16);
}

TEST(AuditVerifier, EachByteOfEachChainedRecordCounts) {
  const Log whole = WholeLog();
  for (size_t at = 3; at < whole.entries.size(); ++at) {
    for (size_t byte = 0; byte < whole.entries[at].record().size(); ++byte) {
      for (const char flip : {'\x01', '\x80'}) {
        Log log = whole;
        (*log.entries[at].mutable_record())[byte] ^= flip;
        const AuditVerifier verifier = Verified(log);
        ASSERT_FALSE(verifier.findings().empty()) << "record " << at + 1 << ", byte " << byte;
        bool named = false;
        for (const AuditFinding& finding : verifier.findings()) {
          named |= finding.id == log.entries[at].id();
        }
        EXPECT_TRUE(named) << "record " << at + 1 << ", byte " << byte << ": "
                           << verifier.findings()[0].message;
      }
    }
  }
}

TEST(AuditVerifier, EachByteOfARecordFromBeforeTheChainsCounts) {
  const Log whole = WholeLog();
  for (size_t byte = 0; byte < whole.entries[1].record().size(); ++byte) {
    Log log = whole;
    (*log.entries[1].mutable_record())[byte] ^= 1;
    EXPECT_THAT(Findings(log), ::testing::Not(IsEmpty())) << "byte " << byte;
  }
}

TEST(AuditVerifier, AChangedRecordIsNamedAlone) {
  Log log = WholeLog();
  AuditRecord record = Record(9);
  record.set_actor("bob");
  std::string& bytes = *log.entries[8].mutable_record();
  bytes.replace(bytes.find("ann"), 3, "bob");
  EXPECT_THAT(Findings(log), ElementsAre("changed 9"));
  EXPECT_EQ(Verified(log).findings()[0].message,
            absl::StrCat("record ", IdOf(9),
                         " (chain 1, number 3) was changed: its hash is not that of what it says"));
}

TEST(AuditVerifier, EachDeletedRecordIsNamed) {
  const Log whole = WholeLog();
  for (size_t at = 0; at < whole.entries.size(); ++at) {
    Log log = whole;
    log.entries.erase(log.entries.begin() + static_cast<ptrdiff_t>(at));
    const AuditVerifier verifier = Verified(log);
    ASSERT_EQ(verifier.findings().size(), 1u) << at;
    EXPECT_THAT(verifier.findings()[0].message, HasSubstr(" missing ")) << at;
  }
  Log log = whole;
  log.entries.erase(log.entries.begin() + 8, log.entries.begin() + 15);
  EXPECT_THAT(Findings(log), ElementsAre("missing 16", "truncated 6", "truncated 8"));
  EXPECT_EQ(Verified(log).findings()[0].message,
            absl::StrCat("numbers 2 to 3 of chain 2 are missing before record ", IdOf(16),
                         ": deleted, or moved elsewhere"));
}

TEST(AuditVerifier, SwappedRecordsAreNamed) {
  Log log = WholeLog();
  std::swap(log.entries[6], log.entries[9]);
  EXPECT_THAT(Findings(log), ::testing::IsSupersetOf({"missing 10", "inserted 7"}));
  log = WholeLog();
  std::swap(*log.entries[6].mutable_record(), *log.entries[9].mutable_record());
  EXPECT_THAT(Findings(log), ::testing::IsSupersetOf({"misplaced 7", "misplaced 10"}));
  log = WholeLog();
  std::swap(log.entries[0], log.entries[1]);
  EXPECT_THAT(Findings(log), ::testing::Not(IsEmpty()));
}

TEST(AuditVerifier, InsertedRecordsAreNamed) {
  Log log = WholeLog();
  AuditEntry forged;
  forged.set_id(IdOf(8) + "0");
  AuditRecord record = Record(8);
  record.set_id(forged.id());
  forged.set_record(record.SerializeAsString());
  log.entries.insert(log.entries.begin() + 8, forged);
  EXPECT_THAT(Findings(log), ElementsAre("unchained 80"));

  // With a hash that follows from the record before it.
  log = WholeLog();
  AuditHead head;
  head.set_chain(3);
  head.set_sequence(2);
  head.set_hash(ParseAudit(log.entries[7].record())->link.hash());
  ASSERT_EQ(ParseAudit(log.entries[7].record())->link.sequence(), 2);
  forged.set_record(ChainAuditRecord(record, {}, head));
  log.entries.insert(log.entries.begin() + 8, forged);
  EXPECT_THAT(Findings(log), ElementsAre("inserted 11"));
  EXPECT_THAT(Verified(log).findings()[0].message, HasSubstr(forged.id()));

  // At the end of a chain.
  log = WholeLog();
  const AuditLogState before = log.state;
  log.AddChained(17, 2);
  log.state = before;
  EXPECT_THAT(Findings(log), ElementsAre("inserted 17"));

  // Before the chains.
  log = WholeLog();
  forged.set_id(IdOf(2) + "0");
  record.set_id(forged.id());
  forged.set_record(record.SerializeAsString());
  log.entries.insert(log.entries.begin() + 2, forged);
  EXPECT_THAT(Findings(log), ElementsAre("inserted 3"));
}

TEST(AuditVerifier, ATruncatedLogIsNamedByItsHeadAndByOneThatWasExported) {
  const Log whole = WholeLog();
  Log log = whole;
  log.entries.resize(14);
  EXPECT_THAT(Findings(log), ElementsAre("truncated 12", "truncated 13"));

  // Whoever truncates writes the heads anew, and is found by an exported one only.
  Log rewritten;
  for (int number = 1; number <= 3; ++number) rewritten.AddUnchained(number);
  AuditLink seal;
  *seal.mutable_before() = rewritten.state.heads(0);
  rewritten.AddChained(4, 1, seal);
  for (int number = 5; number <= 14; ++number) rewritten.AddChained(number, 1 + number % 3);
  EXPECT_THAT(Findings(rewritten), IsEmpty());
  EXPECT_THAT(Findings(rewritten, &whole.state), ElementsAre("truncated 15", "truncated 16"));

  // And whoever writes other records in their place.
  rewritten.AddChained(15, 2);
  rewritten.AddChained(16, 1);
  rewritten.AddChained(17, 2);
  EXPECT_THAT(Findings(rewritten, &whole.state), ElementsAre("head 15", "head 16"));
}

TEST(AuditVerifier, TheHeadsAndTheSealMustBeTheLogs) {
  Log log = WholeLog();
  log.state.mutable_heads()->DeleteSubrange(2, 1);
  EXPECT_THAT(Findings(log), ElementsAre("head 16"));
  log = WholeLog();
  log.state.mutable_heads(2)->set_hash(std::string(32, 'x'));
  EXPECT_THAT(Findings(log), ElementsAre("head 16"));
  // Records from before the chains, with a head of their own that fits them.
  log = WholeLog();
  Log other;
  for (int number = 1; number <= 2; ++number) other.AddUnchained(number);
  log.entries.erase(log.entries.begin() + 2);
  *log.state.mutable_heads(0) = other.state.heads(0);
  EXPECT_THAT(Findings(log), ElementsAre("head 4"));
}

TEST(AuditVerifier, ATrimmedLogGoesOnFromItsRecordOfTrimming) {
  Log log = WholeLog();
  AuditVerifier first(log.state, AuditExtent::kPart);
  for (int at = 0; at < 10; ++at) first.Add(log.entries[static_cast<size_t>(at)]);
  log.entries.erase(log.entries.begin(), log.entries.begin() + 10);
  *log.state.mutable_trimmed_to() = first.heads();
  *log.state.mutable_begins_after() = first.heads();
  Log unsaid = log;
  EXPECT_THAT(Findings(unsaid), ElementsAre("head "));
  AuditLink trim;
  *trim.mutable_trimmed_to() = first.heads();
  log.AddChained(17, 2, trim);
  EXPECT_THAT(Findings(log), IsEmpty());

  // A head from before the trimming cannot be compared, which is said; a later one can.
  const AuditLogState whole = WholeLog().state;
  EXPECT_THAT(Findings(log, &whole), IsEmpty());
  AuditLogState old;
  old.set_registry_id(kRegistry);
  old.add_heads()->set_chain(1);
  old.mutable_heads(0)->set_sequence(1);
  EXPECT_EQ(Verified(log, &old).notes().size(), 1u);

  // More was deleted than the record says.
  log.entries.erase(log.entries.begin());
  HeadOf(3, *log.state.mutable_trimmed_to()).set_sequence(3);
  *log.state.mutable_begins_after() = log.state.trimmed_to();
  EXPECT_THAT(Findings(log), ::testing::Contains("head "));
}

TEST(AuditVerifier, AnExportedHeadOfAnotherRegistryIsNone) {
  Log log = WholeLog();
  AuditLogState other = log.state;
  other.set_registry_id("another");
  EXPECT_THAT(Findings(log, &other), ElementsAre("head "));
  log.state.add_restored_from()->set_registry_id("another");
  EXPECT_THAT(Findings(log, &other), IsEmpty()) << "it was restored from that one";
}

TEST(AuditChain, TheTextOfAHeadIsReadBackAndNeverInPart) {
  AuditLogState state = WholeLog().state;
  state.set_revision(812);
  state.mutable_time()->set_seconds(1'800'000'000);
  const std::string text = AuditHeadText(state);
  EXPECT_THAT(text, HasSubstr("registry 0123456789abcdef0123456789abcdef\nrevision 812\n"
                              "time 2027-01-15T08:00:00Z\nchain 0 3 00000000000000000003 "));
  const auto read = ParseAuditHeadText("-----BEGIN SIGNED-----\n" + text + "-----SIGNATURE-----\n");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->SerializeAsString(), state.SerializeAsString());
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(ParseAuditHeadText(text.substr(0, size)).has_value()) << text.substr(0, size);
  }
}

}  // namespace
}  // namespace pinion::model
