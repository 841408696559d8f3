// Exported audit logs as files: segments that follow each other, and what is missing between them.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/archive/audit_segments.h"
#include "registry/model/audit_chain.h"
#include "tests/testing/temp_directory.h"

namespace pinion::archive {
namespace {

using registry::v1::AuditEntry;
using registry::v1::AuditLogPart;
using registry::v1::AuditLogState;
using registry::v1::AuditRecord;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ArchiveTest : public ::testing::Test {
 protected:
  ArchiveTest() { log_.set_registry_id("0123456789abcdef0123456789abcdef"); }

  void AddRecords(int count) {
    for (int i = 0; i < count; ++i) {
      AuditRecord record;
      record.set_id(absl::StrFormat("%020d", ++number_));
      record.set_command("pin.set");
      AuditEntry& entry = entries_.emplace_back();
      entry.set_id(record.id());
      entry.set_record(model::ChainAuditRecord(
          record, {}, model::HeadOf(1 + number_ % 2, *log_.mutable_heads())));
    }
  }
  // As `pinion audit export` does, with the registry's part of it.
  absl::StatusOr<std::vector<std::string>> Export(int64_t records_max) {
    auto writer = SegmentWriter::Open(directory_.path(), records_max);
    if (!writer.ok()) return writer.status();
    AuditLogPart begin, entries, end;
    *begin.mutable_begin() = log_;
    *begin.mutable_begin()->mutable_begins_after() = (*writer)->after().heads();
    *end.mutable_end() = log_;
    for (const AuditEntry& entry : entries_) {
      const auto stored = model::ParseAudit(entry.record());
      const auto* after = model::FindHead(stored->link.chain(), (*writer)->after().heads());
      if (after == nullptr || after->sequence() < stored->link.sequence()) {
        *entries.mutable_entries()->add_entries() = entry;
      }
    }
    absl::Status status = (*writer)->Add(begin);
    if (status.ok()) status = (*writer)->Add(entries);
    if (status.ok()) status = (*writer)->Add(end);
    if (!status.ok()) return status;
    return (*writer)->written();
  }
  // The findings of what is in the directory.
  std::vector<std::string> Findings(const std::vector<AuditLogState>& heads = {}) {
    const auto verifier = VerifySegments(*SegmentsAt(directory_.path()), heads);
    if (!verifier.ok()) return {std::string(verifier.status().message())};
    std::vector<std::string> findings;
    for (const auto& finding : (*verifier)->findings()) findings.push_back(finding.message);
    return findings;
  }

  const testing::TempDirectory directory_;
  AuditLogState log_;
  std::vector<AuditEntry> entries_;
  int number_ = 0;
};

TEST_F(ArchiveTest, EachExportGoesOnWhereTheLastOneEnded) {
  AddRecords(25);
  EXPECT_THAT(*Export(10), SizeIs(3));
  EXPECT_THAT(*Export(10), SizeIs(0)) << "nothing new";
  AddRecords(1);
  EXPECT_THAT(*Export(10), ElementsAre(directory_.Path("audit-000004.segment")));
  EXPECT_THAT(Findings({log_}), SizeIs(0));
  EXPECT_EQ((*VerifySegments(*SegmentsAt(directory_.path()), {}))->records(), 26);
  // One of the files by itself, too.
  const std::vector<std::string> paths = *SegmentsAt(directory_.path());
  EXPECT_TRUE((*VerifySegments({paths[1]}, {}))->findings().empty());
}

TEST_F(ArchiveTest, AMissingFileAndOneThatIsCutAreNamed) {
  AddRecords(30);
  ASSERT_TRUE(Export(10).ok());
  const std::vector<std::string> paths = *SegmentsAt(directory_.path());
  std::filesystem::rename(paths[1], directory_.Path("elsewhere"));
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("a file is missing between them")));
  std::filesystem::rename(directory_.Path("elsewhere"), paths[1]);
  EXPECT_THAT(Findings(), SizeIs(0));
  // The last file gone is found by a head that was kept elsewhere.
  std::filesystem::rename(paths[2], directory_.Path("elsewhere"));
  EXPECT_THAT(Findings(), SizeIs(0));
  EXPECT_THAT(Findings({log_}), SizeIs(2));
  std::filesystem::rename(directory_.Path("elsewhere"), paths[2]);
  std::filesystem::resize_file(paths[2], std::filesystem::file_size(paths[2]) - 1);
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("is damaged behind byte")));
  EXPECT_FALSE(Export(10).ok()) << "nothing is written behind it";
}

TEST_F(ArchiveTest, AForgedRecordIsNamed) {
  AddRecords(5);
  std::string& bytes = *entries_[2].mutable_record();
  bytes[bytes.find("pin.set")] = 'P';
  ASSERT_TRUE(Export(10).ok());
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("record 00000000000000000003")));
}

TEST_F(ArchiveTest, AnotherLogIsNotWrittenBehindThisOne) {
  AddRecords(5);
  ASSERT_TRUE(Export(10).ok());
  log_.set_registry_id("another");
  EXPECT_THAT(std::string(Export(10).status().message()), HasSubstr("a new directory"));
}

TEST_F(ArchiveTest, WhatIsNotFinishedLeavesNothing) {
  {
    auto file = PartFileWriter::Create(directory_.Path("x"), kAuditKind);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(AuditLogPart()).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
  auto file = PartFileWriter::Create(directory_.Path("x"), kAuditKind);
  ASSERT_TRUE((*file)->Finish().ok());
  EXPECT_EQ(PartFileWriter::Create(directory_.Path("x"), kAuditKind).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(
      std::string(PartFileReader::Open(directory_.Path("x"), kBackupKind).status().message()),
      HasSubstr("is not a file of this kind"));
}

}  // namespace
}  // namespace pinion::archive
