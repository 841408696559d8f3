// pinion schema check: the compatibility gate as a plain step of continuous integration. It ends
// with 0 when there is nothing to say, 1 with findings, and 2 when it could not check.
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/counted.h"
#include "base/read_file.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/text.h"
#include "config/waivers.h"
#include "google/protobuf/wrappers.pb.h"
#include "registry/compat/check.h"
#include "registry/compat/waivers.h"
#include "registry/schema/schema.h"

namespace pinion::cli {
namespace {

// The largest public collections of APIs have some 60 MiB, source info included.
constexpr size_t kMaxCheckedSetBytes = 256 << 20;

struct CheckFlags {
  std::string before;
  std::string now;
  std::string category = "PINION";
  std::string waivers;
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool ignore_unstable = false;
};

// What cannot be checked must not look like a finding in a script.
absl::Status CannotCheck(absl::string_view what, const absl::Status& why) {
  return UsageError(absl::StrCat(what, ": ", why.message()));
}

absl::StatusOr<google::protobuf::FileDescriptorSet> ReadSet(const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadFile(path, kMaxCheckedSetBytes);
  if (!bytes.ok()) return CannotCheck(path, bytes.status());
  auto files = schema::ReadFiles(*bytes, kMaxCheckedSetBytes);
  if (!files.ok()) return CannotCheck(path, files.status());
  return files;
}

// As proto-JSON writes a text.
std::string JsonText(absl::string_view text) {
  google::protobuf::StringValue value;
  value.set_value(std::string(text));
  return std::string(absl::StripSuffix(ToJson(value), "\n"));
}

// A list, which no message has as its JSON form.
std::string ToJsonList(const std::vector<compat::Finding>& findings) {
  std::vector<std::string> items;
  for (const compat::Finding& finding : findings) {
    items.push_back(absl::StrCat(
        " {\n  \"rule\": ", JsonText(finding.rule),
        ",\n  \"severity\": ", JsonText(compat::SeverityName(finding.severity)),
        ",\n  \"path\": ", JsonText(finding.path), ",\n  \"line\": ", finding.line,
        ",\n  \"column\": ", finding.column, ",\n  \"symbol\": ", JsonText(finding.symbol),
        ",\n  \"message\": ", JsonText(finding.message),
        ",\n  \"advice\": ", JsonText(finding.advice), "\n }"));
  }
  return items.empty() ? "[]\n" : absl::StrCat("[\n", absl::StrJoin(items, ",\n"), "\n]\n");
}

std::string ToText(const compat::Waived& result, const CheckFlags& flags) {
  std::string text;
  for (const auto& [finding, waiver] : result.waived) {
    absl::StrAppend(&text, "waived until ", waiver.expiry(), " by ", waiver.author(), " (",
                    waiver.reason(), "): ", finding.rule, " ", finding.symbol, "\n");
  }
  const std::vector<compat::Finding>& findings = result.remaining;
  if (findings.empty()) {
    absl::StrAppend(&text, "no findings: ", flags.now, " is compatible with ", flags.before, " (",
                    flags.category, ")\n");
    return text;
  }
  for (const compat::Finding& finding : findings) {
    absl::StrAppend(&text, compat::FindingText(finding), "\n");
  }
  absl::StrAppend(&text, Counted(static_cast<int64_t>(findings.size()), "finding"), " (",
                  flags.category, ")\n");
  return text;
}

absl::StatusOr<compat::Waived> Waive(std::vector<compat::Finding> findings,
                                     const CheckFlags& flags) {
  if (flags.waivers.empty()) return compat::Waived{.remaining = std::move(findings)};
  const auto waivers = config::LoadWaivers(flags.waivers);
  // The message begins with the file.
  if (!waivers.ok()) return UsageError(waivers.status().message());
  return compat::ApplyWaivers(std::move(findings),
                              {waivers->waivers().begin(), waivers->waivers().end()},
                              {.from = flags.from, .to = flags.to, .now = SystemClock().Wall()});
}

absl::Status RunCheck(Invocation& run, const CheckFlags& flags) {
  if (flags.before.empty()) return UsageError("name the old descriptor set with --against");
  ASSIGN_OR_RETURN(const auto before, ReadSet(flags.before));
  ASSIGN_OR_RETURN(const auto now, ReadSet(flags.now));
  const auto category = compat::ParseCategory(flags.category);
  if (!category) return UsageError(absl::StrCat("no category ", flags.category));
  auto findings =
      compat::Check(before, now, *category, {.ignore_unstable_packages = flags.ignore_unstable});
  if (!findings.ok()) {
    return CannotCheck(absl::StrCat(flags.before, ", ", flags.now), findings.status());
  }
  ASSIGN_OR_RETURN(const compat::Waived result, Waive(*std::move(findings), flags));
  if (run.for_people()) {
    run.out() << ToText(result, flags);
  } else {
    run.PrintJsonText(ToJsonList(result.remaining));
  }
  if (!result.remaining.empty()) run.set_exit_status(kExitFailed);
  return absl::OkStatus();
}

}  // namespace

void AddSchemaCheck(Command& check, Invocation& run) {
  auto flags = std::make_shared<CheckFlags>();
  check.Argument("NEW", &flags->now, "The new schema: a FileDescriptorSet with all imports");
  check.Option("--against", "OLD", &flags->before, "The old schema, the same way; required");
  check.Choice(
      "--category", {"PINION", "WIRE_JSON", "WIRE"}, &flags->category,
      "PINION: what old clients and the new server would misread. WIRE, WIRE_JSON: buf's rules");
  check.Option("--waivers", "FILE", &flags->waivers,
               "YAML: findings that somebody has decided to live with, for a while");
  check.Option("--from", "VERSION", &flags->from, "The name of OLD, for waivers that name one");
  check.Option("--to", "VERSION", &flags->to, "The name of NEW, for waivers that name one");
  check.Flag("--ignore-unstable-packages", &flags->ignore_unstable,
             "Promise nothing of packages like acme.v1alpha1 or acme.v1test");
  check.Examples(
      "Exit status: 0 no findings, 1 findings, 2 it could not check.\n"
      "  protoc --include_imports --include_source_info --descriptor_set_out=new.binpb a.proto\n"
      "  pinion schema check --against old.binpb new.binpb --waivers waivers.yaml");
  check.Run([flags, &run] { return RunCheck(run, *flags); });
}

}  // namespace pinion::cli
