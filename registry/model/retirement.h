// What keeps a version from being retired, each in words and with the command that clears it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "pinion/registry/v1/records.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/routing/v1/routing.pb.h"
#include "registry/model/keys.h"
#include "registry/model/usage.h"

namespace pinion::model {

// A consumer that was moved from a version, by its pin, a range or a channel, may want to go back:
// so long it stays, unless the registry's configuration says otherwise. A long weekend.
inline constexpr absl::Duration kDefaultRollbackWindow = absl::Hours(72);
// Its end must still be a time that a Timestamp can say, also in JSON.
inline constexpr absl::Duration kMaxRollbackWindow = absl::Hours(24 * 3650);

// Whether a window of this length that began at `since` is open at `now`; begun seconds count.
// Zero: never.
bool InRollbackWindow(const google::protobuf::Timestamp& since, absl::Duration window,
                      const google::protobuf::Timestamp& now);

// Of the version's own state: it is active, or its sunset is still ahead.
std::vector<registry::v1::RetirementBlocker> StateBlockers(const routing::v1::Version& version,
                                                           const google::protobuf::Timestamp& now);
// `use` pins `expression`: the version's name, a range that means it or that nothing else matches.
registry::v1::RetirementBlocker PinBlocker(const routing::v1::Version& version, const PinUse& use,
                                           const std::string& expression);
registry::v1::RetirementBlocker ChannelBlocker(const routing::v1::Version& version,
                                               const std::string& channel);
// The channel's ramp leads to it.
registry::v1::RetirementBlocker RampBlocker(const routing::v1::Version& version,
                                            const std::string& channel);
registry::v1::RetirementBlocker InstanceBlocker(const routing::v1::Version& version,
                                                const registry::v1::Instance& instance);
// `who`, such as "pin billing addressbook", was moved away at `since`, which opened a window.
registry::v1::RetirementBlocker WindowBlocker(absl::string_view who,
                                              const google::protobuf::Timestamp& since,
                                              absl::Duration window);

// FailedPrecondition, VERSION_IN_USE: the version cannot be "retired" (`verb`) yet; `command` shows
// all blockers, the details have the first of them.
absl::Status RefuseInUse(const routing::v1::Version& version,
                         const std::vector<registry::v1::RetirementBlocker>& blockers,
                         absl::string_view verb, absl::string_view command);

// How many calls of a version that is not active any more `gateway` has open, by its last report;
// nullopt: it has not said that since the version was last changed, at `changed`.
std::optional<int64_t> OpenCallsOf(const registry::v1::GatewayRecord& gateway,
                                   const routing::v1::Version& version, int64_t changed);
// Of a gateway that is heard: its open calls, or that they are not known. Nullopt: it has none.
std::optional<registry::v1::RetirementBlocker> GatewayBlocker(
    const registry::v1::GatewayRecord& gateway, const routing::v1::Version& version,
    int64_t changed);
// `use`: of the version in the last `window`.
registry::v1::RetirementBlocker UsageBlocker(const CallerUse& use, absl::Duration window,
                                             const google::protobuf::Timestamp& now);

// "2 pins, 1 channel": how many of each kind.
std::string Summary(const std::vector<registry::v1::RetirementBlocker>& blockers);

}  // namespace pinion::model
