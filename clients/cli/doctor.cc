#include "clients/cli/doctor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

using command::v1::Check;
using registry::v1::GetStatusResponse;

// Time enough to renew what somebody has to renew by hand.
constexpr absl::Duration kExpiresSoon = absl::Hours(14 * 24);
// Tokens that were just issued are refused by a registry whose clock is behind.
constexpr absl::Duration kSkewNoticed = absl::Seconds(2);
constexpr absl::Duration kSkewHarmful = absl::Seconds(60);
// The registry tells whole seconds.
constexpr absl::Duration kClockGrain = absl::Seconds(1);
// Changes that are under way are no lag.
constexpr int64_t kRevisionsBehind = 100;
constexpr int kNamesShown = 5;

// "3 d", "5 h"
std::string AboutText(absl::Duration duration) {
  return duration >= absl::Hours(48) ? absl::StrCat(duration / absl::Hours(24), " days")
                                     : Counted(duration / absl::Hours(1), "hour");
}

std::string NamesText(std::vector<std::string> names) {
  const size_t count = names.size();
  if (count > kNamesShown) names.resize(kNamesShown);
  return absl::StrCat(absl::StrJoin(names, ", "), count > kNamesShown ? " …" : "");
}

}  // namespace

Check MakeCheck(absl::string_view name, Check::Level level, absl::string_view found,
                absl::string_view advice) {
  Check check;
  check.set_name(std::string(name));
  check.set_level(level);
  check.set_found(std::string(found));
  check.set_advice(std::string(advice));
  return check;
}

Check CheckExpiry(absl::string_view name, absl::string_view what, absl::Time expiry,
                  absl::Time now) {
  if (expiry <= now) {
    return MakeCheck(name, Check::FAIL, absl::StrCat(what, " has expired on ", TimeText(expiry)),
                     "renew it");
  }
  const std::string until =
      absl::StrCat(what, " is good until ", TimeText(expiry), ", for ", AboutText(expiry - now));
  if (expiry - now < kExpiresSoon) return MakeCheck(name, Check::WARN, until, "renew it soon");
  return MakeCheck(name, Check::OK, until);
}

Check CheckClock(absl::Time asked, absl::Time answered, absl::Time registry) {
  const absl::Duration travel = answered - asked;
  const absl::Duration skew = registry + kClockGrain / 2 - (asked + travel / 2);
  const absl::Duration surely =
      std::max(absl::AbsDuration(skew) - travel / 2 - kClockGrain / 2, absl::ZeroDuration());
  const std::string text = absl::StrCat(
      "the registry's clock is ", absl::FormatDuration(absl::Trunc(surely, absl::Milliseconds(1))),
      skew > absl::ZeroDuration() ? " ahead of" : " behind", " this one");
  if (surely < kSkewNoticed) return MakeCheck("clock", Check::OK, "agrees with the registry's");
  return MakeCheck("clock", surely < kSkewHarmful ? Check::WARN : Check::FAIL, text,
                   "let both follow NTP: tokens, sunsets and planned changes go by the time");
}

Check CheckVersions(absl::string_view program, const GetStatusResponse& status) {
  if (program == status.binary_version()) {
    return MakeCheck("versions", Check::OK,
                     absl::StrCat("this program and the registry are ", program));
  }
  return MakeCheck(
      "versions", Check::WARN,
      absl::StrCat("this program is ", program, ", the registry ", status.binary_version()),
      "use the program that the registry was started with: either may lack what the other knows");
}

Check CheckStore(const GetStatusResponse& status) {
  if (!status.store_error().empty()) {
    return MakeCheck("store", Check::FAIL,
                     absl::StrCat(status.store(), " takes no changes: ", status.store_error()),
                     "mend that on the registry's machine; calls go on meanwhile");
  }
  const int32_t format = status.store_format().format();
  const std::string text = absl::StrCat(status.store(), ", format ", format);
  if (format < status.newest_store_format()) {
    return MakeCheck(
        "store", Check::WARN,
        absl::StrCat(text, ", of an older pinion; the newest is ", status.newest_store_format()),
        "once no older registry uses the store: pinion registry migrate");
  }
  if (format > status.newest_store_format()) {
    return MakeCheck("store", Check::WARN, absl::StrCat(text, ", of a newer pinion"),
                     "update this registry");
  }
  return MakeCheck("store", Check::OK, text);
}

Check CheckGateways(const GetStatusResponse& status) {
  std::vector<std::string> silent;
  for (const registry::v1::Gateway& gateway : status.silent_gateways()) {
    silent.push_back(absl::StrCat(gateway.gateway_id(), " (since ", TimeText(gateway.report_time()),
                                  ", revision ", gateway.revision(), ")"));
  }
  if (!silent.empty()) {
    return MakeCheck("gateways", Check::WARN, absl::StrCat("silent: ", NamesText(silent)),
                     "look at its /readyz, which says why; pinion gateway forget ID when it is "
                     "gone for good");
  }
  std::vector<std::string> behind;
  for (const registry::v1::GatewayStatus& gateway : status.gateways()) {
    const int64_t lag = status.revision() - gateway.sent_revision();
    if (lag > kRevisionsBehind) {
      behind.push_back(absl::StrCat(gateway.gateway_id(), " (by ", lag, " revisions)"));
    }
  }
  if (!behind.empty()) {
    return MakeCheck("gateways", Check::WARN, absl::StrCat("behind: ", NamesText(behind)),
                     "ask again; if it stays so, look at the gateway's machine and its network");
  }
  if (status.gateways().empty()) {
    return MakeCheck("gateways", Check::WARN, "none follows this registry",
                     "start one: pinion gateway --config FILE");
  }
  return MakeCheck("gateways", Check::OK,
                   absl::StrCat(Counted(status.gateways_size(), "gateway"),
                                status.gateways_size() == 1 ? " follows" : " follow",
                                ", at revision ", status.revision()));
}

Check CheckInstances(const GetStatusResponse& status) {
  if (status.instances_held_back() > 0) {
    return MakeCheck("instances", Check::WARN,
                     absl::StrCat(status.instances_held_back(), " of ",
                                  Counted(status.instances(), "instance"), " get no calls"),
                     "pinion instance list says why");
  }
  return MakeCheck("instances", Check::OK, Counted(status.instances(), "instance"));
}

Check CheckAccess(const registry::v1::WhoAmIResponse& who, absl::Time now) {
  if (!who.access()) {
    return MakeCheck("access", Check::OK,
                     "the registry asks for no credentials: everybody may do everything");
  }
  if (who.has_expire_time()) {
    const Check expiry = CheckExpiry("access", absl::StrCat("the credential of ", who.actor()),
                                     absl::FromUnixSeconds(who.expire_time().seconds()), now);
    if (expiry.level() != Check::OK) return expiry;
  }
  if (!who.operator_() && who.grants().empty() && who.consumers().empty()) {
    return MakeCheck("access", Check::WARN, absl::StrCat("nothing is granted to ", who.actor()),
                     "an operator can: pinion access grant ROLE --to " + ShellWord(who.actor()));
  }
  return MakeCheck("access", Check::OK,
                   absl::StrCat("the registry takes this command for ", who.actor()));
}

Check::Level Worst(const std::vector<Check>& checks) {
  Check::Level worst = Check::OK;
  for (const Check& check : checks) worst = std::max(worst, check.level());
  return worst;
}

}  // namespace pinion::cli
