// pinion audit log, head, verify, export and trim
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "base/read_file.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/progress.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "registry/archive/audit_segments.h"
#include "registry/model/audit_chain.h"
#include "registry/model/audit_verifier.h"

namespace pinion::cli {
namespace {

constexpr int64_t kDefaultAuditRecords = 50;
constexpr int64_t kDefaultSegmentRecords = 100'000;
constexpr size_t kMaxHeadBytes = 1 << 20;

// ---- log ----

struct LogFlags {
  v1::ListAuditRecordsRequest request;
  std::optional<int64_t> limit;
  bool all = false;
};

absl::StatusOr<v1::ListAuditRecordsResponse> Records(Invocation& run, const LogFlags& flags) {
  if (flags.all) return AllPages(run.registry(), &RegistryClient::ListAuditRecords, flags.request);
  const int64_t limit = flags.limit.value_or(kDefaultAuditRecords);
  if (limit < 1) return UsageError("--limit is at least 1");
  v1::ListAuditRecordsResponse records;
  v1::ListAuditRecordsRequest request = flags.request;
  do {
    request.set_page_size(static_cast<int32_t>(limit - records.records_size()));
    ASSIGN_OR_RETURN(const v1::ListAuditRecordsResponse page,
                     run.registry().ListAuditRecords(request));
    request.set_page_token(page.next_page_token());
    records.MergeFrom(page);
  } while (!request.page_token().empty() && records.records_size() < limit);
  records.set_next_page_token(request.page_token());
  return records;
}

absl::Status Log(Invocation& run, const LogFlags& flags) {
  ASSIGN_OR_RETURN(const v1::ListAuditRecordsResponse records, Records(run, flags));
  Table table({"TIME", "ACTOR", "COMMAND", "OBJECT", "REVISION", "REASON"});
  for (const v1::AuditRecord& record : records.records()) {
    table.Add({TimeText(record.time()), record.actor(), record.command(), record.object(),
               absl::StrCat(record.revision()), record.reason()});
  }
  std::string text = table.empty() ? "no records\n" : table.Render();
  if (!records.next_page_token().empty()) {
    absl::StrAppend(&text, "older records: --limit N or --all; -o json shows old and new values\n");
  }
  run.Print(records, text);
  return absl::OkStatus();
}

// ---- head ----

absl::Status Head(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::AuditLogState state, run.registry().GetAuditHead({}));
  run.Print(state, model::AuditHeadText(state));
  return absl::OkStatus();
}

// ---- verify ----

struct VerifyFlags {
  std::string path;
  std::vector<std::string> heads;  // files
  bool allow_unchained = false;
};

v1::AuditVerification ResultOf(const model::AuditVerifier& verifier, bool allow_unchained) {
  v1::AuditVerification result;
  result.set_records(verifier.records());
  *result.mutable_heads() = verifier.heads();
  result.set_findings_total(verifier.findings_total());
  const int64_t allowed = allow_unchained ? verifier.unchained_total() : 0;
  result.set_good(verifier.findings_total() == allowed);
  for (const model::AuditFinding& finding : verifier.findings()) {
    auto& said = *result.add_findings();
    said.set_kind(std::string(model::FindingWord(finding.kind)));
    said.set_id(finding.id);
    said.set_message(finding.message);
  }
  for (const std::string& note : verifier.notes()) result.add_notes(note);
  return result;
}

std::string ResultText(const v1::AuditVerification& result) {
  std::string text;
  for (const auto& finding : result.findings()) {
    absl::StrAppend(&text, finding.kind(), ": ", finding.message(), "\n");
  }
  if (result.findings_total() > result.findings_size()) {
    absl::StrAppend(&text, "… and ", result.findings_total() - result.findings_size(), " more\n");
  }
  for (const std::string& note : result.notes()) absl::StrAppend(&text, "note: ", note, "\n");
  return absl::StrCat(
      text, Counted(result.records(), "record"), " verified, ",
      result.findings_total() == 0 ? "no finding" : Counted(result.findings_total(), "finding"),
      "\n");
}

absl::StatusOr<std::vector<v1::AuditLogState>> ReadHeads(const std::vector<std::string>& paths) {
  std::vector<v1::AuditLogState> heads;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::string> text = ReadFile(path, kMaxHeadBytes);
    if (!text.ok()) {
      return absl::Status(text.status().code(),
                          absl::StrCat("--head ", path, " ", text.status().message()));
    }
    auto head = model::ParseAuditHeadText(*text);
    if (!head.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " holds no whole head as `pinion audit head` prints it"));
    }
    heads.push_back(*std::move(head));
  }
  return heads;
}

absl::StatusOr<std::unique_ptr<model::AuditVerifier>> VerifyOnline(
    Invocation& run, const std::vector<v1::AuditLogState>& heads) {
  std::unique_ptr<model::AuditVerifier> verifier;
  Progress progress(run, "records verified");
  RETURN_IF_ERROR(run.registry().ReadAuditLog({}, [&](const v1::AuditLogPart& part) {
    if (part.has_begin()) {
      verifier = std::make_unique<model::AuditVerifier>(part.begin(), model::AuditExtent::kWhole);
      for (const v1::AuditLogState& head : heads) verifier->Expect(head);
    } else if (verifier == nullptr) {
      return absl::DataLossError("the registry sent records before their beginning");
    }
    for (const v1::AuditEntry& entry : part.entries().entries()) verifier->Add(entry);
    if (part.has_end()) verifier->End(part.end());
    progress.At(verifier->records(), 0);
    return absl::OkStatus();
  }));
  if (verifier == nullptr) return absl::DataLossError("the registry sent no audit log");
  return verifier;
}

absl::Status Verify(Invocation& run, const VerifyFlags& flags) {
  ASSIGN_OR_RETURN(const std::vector<v1::AuditLogState> heads, ReadHeads(flags.heads));
  std::unique_ptr<model::AuditVerifier> verifier;
  if (flags.path.empty()) {
    ASSIGN_OR_RETURN(verifier, VerifyOnline(run, heads));
  } else {
    ASSIGN_OR_RETURN(const std::vector<std::string> paths, archive::SegmentsAt(flags.path));
    ASSIGN_OR_RETURN(verifier, archive::VerifySegments(paths, heads));
  }
  if (verifier->heads().empty() && verifier->records() > 0 && heads.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("none of the ", Counted(verifier->records(), "record"),
                     " is in a chain, so nothing can be verified: `pinion registry migrate` begins "
                     "the chains"));
  }
  const v1::AuditVerification result = ResultOf(*verifier, flags.allow_unchained);
  run.Print(result, ResultText(result));
  if (!result.good()) run.set_exit_status(kExitFailed);
  return absl::OkStatus();
}

// ---- export ----

struct ExportFlags {
  std::string directory;
  std::optional<int64_t> segment_records;
};

absl::Status Export(Invocation& run, const ExportFlags& flags) {
  const int64_t records_max = flags.segment_records.value_or(kDefaultSegmentRecords);
  if (records_max < 1) return UsageError("--segment-records is at least 1");
  ASSIGN_OR_RETURN(const auto writer, archive::SegmentWriter::Open(flags.directory, records_max));
  v1::ReadAuditLogRequest request;
  *request.mutable_after() = writer->after().heads();
  RETURN_IF_ERROR([&] {
    Progress progress(run, "records exported");
    return run.registry().ReadAuditLog(request, [&](const v1::AuditLogPart& part) -> absl::Status {
      RETURN_IF_ERROR(writer->Add(part));
      progress.At(writer->verifier().records(), 0);
      return absl::OkStatus();
    });
  }());
  v1::AuditExport result;
  *result.mutable_verification() = ResultOf(writer->verifier(), /*allow_unchained=*/true);
  result.set_records(result.verification().records());
  std::string text =
      result.records() == 0 ? absl::StrCat("nothing new for ", flags.directory, "\n") : "";
  for (const std::string& path : writer->written()) {
    result.add_files(path);
    absl::StrAppend(&text, path, "\n");
  }
  if (result.records() > 0) absl::StrAppend(&text, ResultText(result.verification()));
  run.Print(result, text);
  if (!result.verification().good()) run.set_exit_status(kExitFailed);
  return absl::OkStatus();
}

// ---- trim ----

struct TrimFlags {
  std::string before;
  std::string exported;
  std::string reason;
};

absl::Status Trim(Invocation& run, const TrimFlags& flags) {
  if (flags.before.empty() || flags.exported.empty()) {
    return UsageError(
        "say from before when records are to go, --before, and where they have been "
        "exported to, --exported");
  }
  v1::TrimAuditLogRequest request;
  ASSIGN_OR_RETURN(*request.mutable_before(), ParseTime("--before", flags.before));
  request.set_reason(flags.reason);
  ASSIGN_OR_RETURN(const std::vector<std::string> paths, archive::SegmentsAt(flags.exported));
  ASSIGN_OR_RETURN(const auto verifier, archive::VerifySegments(paths, {}));
  if (verifier->findings_total() > verifier->unchained_total()) {
    return absl::FailedPreconditionError(
        absl::StrCat("what was exported to ", flags.exported,
                     " is not what was written, so nothing was trimmed: `pinion audit verify ",
                     flags.exported, "` says more"));
  }
  ASSIGN_OR_RETURN(const v1::AuditLogState end, archive::EndOfSegments(paths));
  *request.mutable_exported() = end.heads();
  v1::TrimAuditLogResponse result;
  int64_t trimmed = 0;
  do {
    ASSIGN_OR_RETURN(result, run.registry().TrimAuditLog(request));
    trimmed += result.trimmed();
  } while (result.more());
  result.set_trimmed(trimmed);
  run.Print(result, trimmed == 0 ? "nothing to trim: no exported record is so old\n"
                                 : absl::StrCat(Counted(trimmed, "record"), " trimmed\n"));
  return absl::OkStatus();
}

void AddVerify(Command& verify, Invocation& run) {
  auto flags = std::make_shared<VerifyFlags>();
  verify.OptionalArgument("PATH", &flags->path,
                          "An exported directory, or one file of it; else the registry's own log");
  verify.Option("--head", "FILE", &flags->heads,
                "A head that was kept elsewhere, which the log must lead to; may be repeated");
  verify.Flag("--allow-unchained", &flags->allow_unchained,
              "Records that an older pinion has appended are named, and no failure");
  verify.Examples(
      "Exit status 1: something is not as it was written.\n"
      "  pinion audit verify --head head.txt\n"
      "  pinion audit verify /var/archive/audit");
  verify.Run([flags, &run] { return Verify(run, *flags); });
}

void AddTrim(Command& trim, Invocation& run) {
  auto flags = std::make_shared<TrimFlags>();
  trim.Option("--before", "TIME", &flags->before, "A day, or a moment; required");
  trim.Option("--exported", "DIRECTORY", &flags->exported, "Where they were exported to; required");
  trim.Option("--reason", "TEXT", &flags->reason, "For the audit log");
  trim.Examples("  pinion audit trim --before 2026-01-01 --exported /var/archive/audit");
  trim.Run([flags, &run] { return Trim(run, *flags); });
}

}  // namespace

void AddAuditCommands(Command& root, Invocation& run) {
  Command& audit = root.Sub("audit", "Who changed what, and whether that is what was written");
  Command& log = audit.Sub("log", "Changes, newest first");
  auto flags = std::make_shared<LogFlags>();
  log.Option("--by", "NAME", flags->request.mutable_actor(), "Only changes by this actor");
  log.Option("--object", "TEXT", flags->request.mutable_object_contains(),
             "Only objects whose name contains this");
  log.Option("--limit", "N", &flags->limit, "How many; 50");
  log.Flag("--all", &flags->all, "All of them");
  log.Examples(
      "  pinion audit log --limit 20\n"
      "  pinion audit log --by alice --object addressbook -o yaml");
  log.Run([flags, &run] { return Log(run, *flags); });

  Command& head = audit.Sub("head", "How far the log goes, as text to sign and to keep elsewhere");
  head.Examples("  pinion audit head > head-$(date +%F).txt");
  head.Run([&run] { return Head(run); });

  AddVerify(audit.Sub("verify", "Name every record that was changed, deleted, moved or added"),
            run);

  Command& export_command =
      audit.Sub("export", "Write what is not there yet into files of a directory");
  auto export_flags = std::make_shared<ExportFlags>();
  export_command.Argument("DIRECTORY", &export_flags->directory, "Made if there is none");
  export_command.Option("--segment-records", "N", &export_flags->segment_records,
                        "Records of one file; 100000");
  export_command.Examples(
      "Run it again and again: it goes on where the last file ends.\n"
      "  pinion audit export /var/archive/audit");
  export_command.Run([export_flags, &run] { return Export(run, *export_flags); });

  AddTrim(audit.Sub("trim", "Delete old records that have been exported, on record"), run);
}

}  // namespace pinion::cli
