#include "registry/archive/audit_segments.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "registry/model/audit_chain.h"

namespace pinion::archive {
namespace {

namespace fs = std::filesystem;
using registry::v1::AuditEntry;
using registry::v1::AuditHead;
using registry::v1::AuditLogPart;
using registry::v1::AuditLogState;
using Heads = google::protobuf::RepeatedPtrField<AuditHead>;

constexpr absl::string_view kPrefix = "audit-";
constexpr absl::string_view kSuffix = ".segment";

std::string NameOf(int64_t number) {
  return absl::StrCat(kPrefix, absl::StrFormat("%06d", number), kSuffix);
}

bool IsSegment(const std::string& name) {
  return absl::StartsWith(name, kPrefix) && absl::EndsWith(name, kSuffix);
}

absl::Status Broken(const std::string& path, absl::string_view detail) {
  return absl::DataLossError(absl::StrCat(path, " is not whole: ", detail));
}

// Shows the beginning, each entry, and the end of one file.
struct SegmentVisitor {
  std::function<absl::Status(const AuditLogState&)> begin;
  std::function<void(const AuditEntry&)> entry;
  std::function<void(const AuditLogState&)> end;
};

absl::Status ReadSegment(const std::string& path, const SegmentVisitor& visitor) {
  ASSIGN_OR_RETURN(const auto reader, PartFileReader::Open(path, kAuditKind));
  bool begun = false, ended = false;
  AuditLogPart part;
  while (true) {
    ASSIGN_OR_RETURN(const bool any, reader->Next(part));
    if (!any) break;
    if (ended) return Broken(path, "something stands behind its end");
    if (begun == part.has_begin()) return Broken(path, "it does not begin with one beginning");
    if (part.has_begin()) {
      begun = true;
      RETURN_IF_ERROR(visitor.begin(part.begin()));
    }
    for (const AuditEntry& entry : part.entries().entries()) visitor.entry(entry);
    if (part.has_end()) {
      ended = true;
      visitor.end(part.end());
    }
  }
  return ended ? absl::OkStatus() : Broken(path, "its end is missing");
}

// Whether `later` goes on exactly where `earlier` ended.
bool Follows(const Heads& earlier, const Heads& later) {
  return std::equal(earlier.begin(), earlier.end(), later.begin(), later.end(),
                    [](const AuditHead& a, const AuditHead& b) {
                      return a.chain() == b.chain() && a.sequence() == b.sequence() &&
                             a.hash() == b.hash();
                    });
}

// The state that the last of the files says the log had when it was exported.
absl::StatusOr<AuditLogState> LogAtLast(const std::vector<std::string>& paths) {
  AuditLogState log;
  RETURN_IF_ERROR(
      ReadSegment(paths.back(), {[&log](const AuditLogState& begin) {
                                   log = begin;
                                   return absl::OkStatus();
                                 },
                                 [](const AuditEntry&) {}, [](const AuditLogState&) {}}));
  return log;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SegmentsAt(const std::string& path) {
  std::error_code error;
  std::vector<std::string> paths;
  if (fs::is_regular_file(path, error)) return std::vector<std::string>{path};
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (IsSegment(at->path().filename().native())) paths.push_back(at->path().native());
  }
  if (error) return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", error.message()));
  if (paths.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no exported audit log in ", path,
                                            ": `pinion audit export ", path, "` writes one"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<AuditLogState> EndOfSegments(const std::vector<std::string>& paths) {
  AuditLogState end;
  RETURN_IF_ERROR(ReadSegment(paths.back(), {[](const AuditLogState&) { return absl::OkStatus(); },
                                             [](const AuditEntry&) {},
                                             [&end](const AuditLogState& state) { end = state; }}));
  return end;
}

absl::StatusOr<std::unique_ptr<model::AuditVerifier>> VerifySegments(
    const std::vector<std::string>& paths, const std::vector<AuditLogState>& exported_heads) {
  ASSIGN_OR_RETURN(const AuditLogState log, LogAtLast(paths));
  std::unique_ptr<model::AuditVerifier> verifier;
  AuditLogState last;
  for (const std::string& path : paths) {
    const auto begin = [&](const AuditLogState& state) -> absl::Status {
      if (verifier == nullptr) {
        AuditLogState first = log;
        *first.mutable_begins_after() = state.begins_after();
        verifier = std::make_unique<model::AuditVerifier>(first, model::AuditExtent::kPart);
        for (const AuditLogState& exported : exported_heads) verifier->Expect(exported);
        return absl::OkStatus();
      }
      if (Follows(last.heads(), state.begins_after())) return absl::OkStatus();
      return absl::DataLossError(
          absl::StrCat(path,
                       " does not go on where the file before it ends: a file is missing "
                       "between them, or they are of different exports"));
    };
    RETURN_IF_ERROR(
        ReadSegment(path, {begin, [&](const AuditEntry& entry) { verifier->Add(entry); },
                           [&](const AuditLogState& end) { last = end; }}));
  }
  verifier->End(last);
  return verifier;
}

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Open(const std::string& directory,
                                                                   int64_t records_max) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make the directory ", directory, ": ", error.message()));
  }
  auto writer = absl::WrapUnique(new SegmentWriter(directory, records_max));
  const auto there = SegmentsAt(directory);
  if (absl::IsNotFound(there.status())) return writer;
  RETURN_IF_ERROR(there.status());
  ASSIGN_OR_RETURN(writer->after_, EndOfSegments(*there));
  const std::string last = fs::path(there->back()).filename().native();
  if (!absl::SimpleAtoi(last.substr(kPrefix.size(), last.size() - kPrefix.size() - kSuffix.size()),
                        &writer->next_number_)) {
    return absl::FailedPreconditionError(
        absl::StrCat(there->back(), " has a name that no export gives: move it away"));
  }
  ++writer->next_number_;
  return writer;
}

absl::Status SegmentWriter::Add(const AuditLogPart& part) {
  if (part.has_begin()) return Begin(part.begin());
  if (part.has_entries()) return AddEntries(part.entries());
  verifier_->End(part.end());
  return CloseSegment();
}

absl::Status SegmentWriter::Begin(const AuditLogState& begin) {
  const bool same = after_.registry_id().empty() || after_.registry_id() == begin.registry_id() ||
                    std::any_of(begin.restored_from().begin(), begin.restored_from().end(),
                                [this](const registry::v1::RestoredFrom& from) {
                                  return from.registry_id() == after_.registry_id();
                                });
  if (!same || (!after_.registry_id().empty() && !Follows(after_.heads(), begin.begins_after()))) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the audit log of registry ", begin.registry_id(), " does not go on where ", directory_,
        " ends: it is another registry's, or records were trimmed that are not there; export into "
        "a new directory"));
  }
  begin_ = begin;
  verifier_ = std::make_unique<model::AuditVerifier>(begin, model::AuditExtent::kPart);
  return absl::OkStatus();
}

absl::Status SegmentWriter::AddEntries(const registry::v1::AuditEntries& entries) {
  if (begin_.heads().empty()) {
    return absl::FailedPreconditionError(
        "the audit log has no chains yet, so an export could not go on where it ended: `pinion "
        "registry migrate` begins them");
  }
  AuditLogPart part;
  for (const AuditEntry& entry : entries.entries()) {
    if (file_ == nullptr) {
      path_ = absl::StrCat(directory_, "/", NameOf(next_number_));
      ASSIGN_OR_RETURN(file_, PartFileWriter::Create(path_, kAuditKind));
      AuditLogPart begin;
      *begin.mutable_begin() = begin_;
      *begin.mutable_begin()->mutable_begins_after() = verifier_->heads();
      RETURN_IF_ERROR(file_->Append(begin));
    }
    verifier_->Add(entry);
    *part.mutable_entries()->add_entries() = entry;
    if (++records_ < records_max_) continue;
    RETURN_IF_ERROR(file_->Append(part));
    part.Clear();
    RETURN_IF_ERROR(CloseSegment());
  }
  return part.has_entries() ? file_->Append(part) : absl::OkStatus();
}

absl::Status SegmentWriter::CloseSegment() {
  if (file_ == nullptr) return absl::OkStatus();
  AuditLogPart end;
  *end.mutable_end() = begin_;
  end.mutable_end()->clear_begins_after();
  end.mutable_end()->clear_trimmed_to();
  *end.mutable_end()->mutable_heads() = verifier_->heads();
  RETURN_IF_ERROR(file_->Append(end));
  RETURN_IF_ERROR(file_->Finish());
  file_ = nullptr;
  records_ = 0;
  ++next_number_;
  written_.push_back(path_);
  return absl::OkStatus();
}

}  // namespace pinion::archive
