#include "registry/model/channels.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/retirement.h"

namespace pinion::model {
namespace {

using google::protobuf::Timestamp;

absl::Status Invalid(const routing::v1::Channel& channel, absl::string_view message) {
  return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID", message,
                 {{"service", channel.service()},
                  {"channel", channel.name()},
                  {"version", channel.ramp().version()},
                  {"percent", absl::StrCat(channel.ramp().percent())}});
}

}  // namespace

absl::Status ValidateRamp(const routing::v1::Channel& channel) {
  const routing::v1::Channel::Ramp& ramp = channel.ramp();
  const std::string name = absl::StrCat(channel.service(), " ", channel.name());
  if (ramp.version().empty()) {
    return Invalid(channel, absl::StrCat("channel ", name,
                                         " has no ramp yet: name the version that it shall lead to "
                                         "as well"));
  }
  if (ramp.version() == channel.version()) {
    return Invalid(channel, absl::StrCat("channel ", name, " leads to ", ramp.version(),
                                         " already; to take a ramp back: `pinion channel ramp ",
                                         name, " --stop`"));
  }
  if (ramp.percent() < 1 || ramp.percent() > 99) {
    return Invalid(channel, absl::StrCat("a ramp's share is 1 to 99 per cent, and not ",
                                         ramp.percent(), "; to lead everybody to ", ramp.version(),
                                         ": `pinion channel set ", name, " ", ramp.version(),
                                         "`; nobody: `pinion channel ramp ", name, " --stop`"));
  }
  return absl::OkStatus();
}

bool LeadsTo(const routing::v1::Channel& channel, absl::string_view version) {
  return channel.version() == version ||
         (channel.has_ramp() && channel.ramp().version() == version);
}

void NoteLeft(const routing::v1::Channel& before, absl::Duration rollback_window,
              const Timestamp& now, registry::v1::Channel& after) {
  std::map<std::string, Timestamp> left;
  for (const auto& one : after.left()) left[one.version()] = one.time();
  left[before.version()] = now;
  if (before.has_ramp()) left[before.ramp().version()] = now;
  after.clear_left();
  for (const auto& [version, time] : left) {
    if (LeadsTo(after.channel(), version) || !InRollbackWindow(time, rollback_window, now))
      continue;
    registry::v1::Channel::Left& one = *after.add_left();
    one.set_version(version);
    *one.mutable_time() = time;
  }
}

}  // namespace pinion::model
