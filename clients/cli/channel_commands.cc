// pinion channel set | list
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {

void AddChannelCommands(Command& root, Invocation& run) {
  Command& channel = root.Sub("channel", "Names for versions that their owners move");

  Command& set = channel.Sub("set", "Point a channel at a version");
  auto request = std::make_shared<v1::SetChannelRequest>();
  auto expected_revision = std::make_shared<std::optional<int64_t>>();
  routing::v1::Channel& value = *request->mutable_channel();
  set.Argument("SERVICE", value.mutable_service(), "Name of the service");
  set.Argument("CHANNEL", value.mutable_name(), "Name of the channel, without @");
  set.Argument("VERSION", value.mutable_version(), "Name of the version");
  set.Option("--expected-revision", "REVISION", expected_revision.get(),
             "Refuse if it was moved since; 0: refuse if there is one");
  set.Option("--reason", "TEXT", request->mutable_reason(), "For the audit log");
  set.Run([request, expected_revision, &run]() -> absl::Status {
    if (*expected_revision) request->set_expected_revision(**expected_revision);
    ASSIGN_OR_RETURN(const v1::Channel made, run.registry().SetChannel(*request));
    const std::string& before = made.previous_version();
    run.Print(made, absl::StrCat(made.channel().service(), " @", made.channel().name(), ": ",
                                 before.empty() || before == made.channel().version()
                                     ? ""
                                     : absl::StrCat(before, " → "),
                                 made.channel().version(), "\n"));
    return absl::OkStatus();
  });

  Command& list = channel.Sub("list", "Channels");
  auto filter = std::make_shared<v1::ListChannelsRequest>();
  list.OptionalArgument("SERVICE", filter->mutable_service(), "Only of this service");
  list.Run([filter, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::ListChannelsResponse found,
                     AllPages(run.registry(), &RegistryClient::ListChannels, *filter));
    Table table({"SERVICE", "CHANNEL", "VERSION", "BEFORE", "CHANGED BY", "CHANGED"});
    for (const v1::Channel& one : found.channels()) {
      table.Add({one.channel().service(), one.channel().name(), one.channel().version(),
                 one.previous_version(), one.meta().updated_by(),
                 TimeText(one.meta().update_time())});
    }
    run.Print(found, table.empty() ? "no channels yet: the first active version takes @stable\n"
                                   : table.Render());
    return absl::OkStatus();
  });
}

}  // namespace pinion::cli
