// pinion channel set | ramp | get | list
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

std::string NameText(const routing::v1::Channel& channel) {
  return absl::StrCat(channel.service(), " @", channel.name());
}

// "10 % to 2.0.0"; empty: there is none.
std::string RampText(const routing::v1::Channel::Ramp& ramp) {
  return ramp.version().empty() ? "" : absl::StrCat(ramp.percent(), " % to ", ramp.version());
}

std::string SetText(const v1::Channel& made) {
  const std::string& before = made.previous_version();
  const std::string& version = made.channel().version();
  return absl::StrCat(NameText(made.channel()), ": ",
                      before.empty() || before == version ? "" : absl::StrCat(before, " → "),
                      version, "\n");
}

std::string RampedText(const v1::RampChannelResponse& made) {
  const routing::v1::Channel& channel = made.channel().channel();
  const std::string before = RampText(made.old_ramp());
  const std::string now = RampText(channel.ramp());
  std::string text = absl::StrCat(NameText(channel), ": ", channel.version(), ", ");
  if (!made.changed()) {
    absl::StrAppend(&text, now.empty() ? "no ramp" : now, ", as it was\n");
    return text;
  }
  if (now.empty()) {
    absl::StrAppend(&text, "no ramp any more");
  } else {
    absl::StrAppend(&text, "and ", channel.ramp().version(), " for ", channel.ramp().percent(),
                    " % of the registered consumers");
  }
  absl::StrAppend(&text, before.empty() ? "" : absl::StrCat("; before: ", before), "\n");
  absl::StrAppend(&text, MovedText(made.moved()));
  if (now.empty()) return text;
  const std::string words = absl::StrCat(channel.service(), " ", channel.name());
  absl::StrAppend(&text, "complete: pinion channel set ", words, " ", channel.ramp().version(),
                  "\nundo: pinion channel ramp ", words, " ",
                  before.empty() ? "--stop"
                                 : absl::StrCat(made.old_ramp().version(), " --percent ",
                                                made.old_ramp().percent()),
                  "\n");
  return text;
}

std::string Fields(const v1::Channel& channel) {
  std::string left;
  for (const v1::Channel::Left& one : channel.left()) {
    absl::StrAppend(&left, left.empty() ? "" : ", ", one.version(), " at ", TimeText(one.time()));
  }
  return RenderFields({
      {"service", channel.channel().service()},
      {"channel", channel.channel().name()},
      {"version", channel.channel().version()},
      {"ramp", RampText(channel.channel().ramp())},
      {"before", channel.previous_version()},
      {"moved away from", left},
      {"owner", channel.meta().owner()},
      {"changed",
       absl::StrCat(TimeText(channel.meta().update_time()), " by ", channel.meta().updated_by())},
      {"revision", absl::StrCat(channel.meta().revision())},
  });
}

void AddSet(Command& set, Invocation& run) {
  auto request = std::make_shared<v1::SetChannelRequest>();
  routing::v1::Channel& value = *request->mutable_channel();
  DeclareChannel(set, value);
  set.Argument("VERSION", value.mutable_version(), "Name of the version");
  DeclareExpectedRevision(set, *request, "it", Creates::kYes);
  DeclareReason(set, *request);
  set.Examples(
      "Leads everybody there: a ramp ends with it.\n"
      "  pinion channel set addressbook stable 2.0.0");
  set.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Channel made, run.registry().SetChannel(*request));
    run.Print(made, SetText(made));
    return absl::OkStatus();
  });
}

struct RampFlags {
  v1::RampChannelRequest request;
  std::string version;
  std::optional<int64_t> percent;
  bool stop = false;
  bool dry_run = false;
};

absl::Status Ramp(Invocation& run, RampFlags& flags) {
  v1::RampChannelRequest& request = flags.request;
  if (flags.stop == flags.percent.has_value() || (flags.stop && !flags.version.empty())) {
    return UsageError("give a VERSION and --percent, or --stop alone to take the ramp back");
  }
  if (flags.percent) {
    request.mutable_ramp()->set_percent(
        static_cast<uint32_t>(std::clamp<int64_t>(*flags.percent, 0, UINT32_MAX)));
    request.mutable_ramp()->set_version(flags.version);
  }
  if (flags.dry_run) {
    v1::PlanRequest plan;
    *plan.mutable_ramp_channel() = request;
    return PrintPlan(run, plan);
  }
  ASSIGN_OR_RETURN(const v1::RampChannelResponse made, run.registry().RampChannel(request));
  run.Print(made, RampedText(made));
  return absl::OkStatus();
}

void AddRamp(Command& ramp, Invocation& run) {
  auto flags = std::make_shared<RampFlags>();
  DeclareChannel(ramp, flags->request);
  ramp.OptionalArgument("VERSION", &flags->version,
                        "Where it leads some consumers; else the version of its ramp");
  ramp.Option("--percent", "1-99", &flags->percent, "The share of the registered consumers");
  ramp.Flag("--stop", &flags->stop, "Lead everybody to the channel's own version again");
  ramp.Flag("--dry-run", &flags->dry_run, "Only say what it would do, as `pinion plan` does");
  DeclareExpectedRevision(ramp, flags->request, "the channel");
  DeclareReason(ramp, flags->request);
  ramp.Examples(
      "Each consumer gets one version, on every gateway, and a larger share only adds consumers.\n"
      "  pinion channel ramp addressbook stable 2.0.0 --percent 10\n"
      "  pinion channel ramp addressbook stable --percent 50\n"
      "  pinion channel set addressbook stable 2.0.0\n"
      "  pinion channel ramp addressbook stable --stop");
  ramp.Run([flags, &run] { return Ramp(run, *flags); });
}

void AddGet(Command& get, Invocation& run) {
  auto request = std::make_shared<v1::GetChannelRequest>();
  DeclareChannel(get, *request);
  get.Examples("  pinion channel get addressbook stable");
  get.Run([request, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Channel channel, run.registry().GetChannel(*request));
    run.Print(channel, Fields(channel));
    return absl::OkStatus();
  });
}

void AddList(Command& list, Invocation& run) {
  auto filter = std::make_shared<v1::ListChannelsRequest>();
  list.OptionalArgument("SERVICE", filter->mutable_service(), "Only of this service");
  list.Examples("  pinion channel list addressbook");
  list.Run([filter, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListChannelsResponse found,
                     AllPages(run.registry(), &RegistryClient::ListChannels, *filter));
    Table table({"SERVICE", "CHANNEL", "VERSION", "RAMP", "BEFORE", "CHANGED BY", "CHANGED"});
    for (const v1::Channel& one : found.channels()) {
      table.Add({one.channel().service(), one.channel().name(), one.channel().version(),
                 RampText(one.channel().ramp()), one.previous_version(), one.meta().updated_by(),
                 TimeText(one.meta().update_time())});
    }
    run.Print(found, table.empty() ? "no channels yet: the first active version takes @stable\n"
                                   : table.Render());
    return absl::OkStatus();
  });
}

}  // namespace

void AddChannelCommands(Command& root, Invocation& run) {
  Command& channel = root.Sub("channel", "Names for versions that their owners move");
  AddSet(channel.Sub("set", "Point a channel at a version"), run);
  AddRamp(channel.Sub("ramp", "Lead a share of the consumers to another version"), run);
  AddGet(channel.Sub("get", "One channel"), run);
  AddList(channel.Sub("list", "Channels"), run);
}

}  // namespace pinion::cli
