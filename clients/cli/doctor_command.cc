// pinion doctor
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/read_file.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/doctor.h"
#include "clients/cli/table.h"
#include "config/load.h"
#include "config/validate.h"
#include "dial/certificate.h"
#include "dial/shown_certificate.h"

namespace pinion::cli {
namespace {

using command::v1::Check;
using Checks = std::vector<Check>;

constexpr size_t kCertificateBytesMax = 1 << 20;

void CheckConfig(const std::string& file, absl::Time now, Checks& checks) {
  const absl::StatusOr<config::Loaded> loaded = config::LoadFile(file);
  if (!loaded.ok()) {
    checks.push_back(MakeCheck("configuration", Check::FAIL, loaded.status().message(),
                               absl::StrCat("correct it, and try: pinion validate ", file)));
    return;
  }
  const std::vector<std::string> warnings = config::TlsWarnings(loaded->bootstrap, now);
  checks.push_back(warnings.empty()
                       ? MakeCheck("configuration", Check::OK, config::Summary(*loaded))
                       : MakeCheck("configuration", Check::FAIL, absl::StrJoin(warnings, "; "),
                                   "renew what has expired"));
}

// What this command shows, as far as it is a certificate.
void CheckOwnCertificate(const dial::Credentials& credentials, absl::Time now, Checks& checks) {
  if (!credentials.tls || credentials.certificate_chain.empty()) return;
  const auto text = ReadFile(credentials.certificate_chain, kCertificateBytesMax);
  const absl::StatusOr<absl::Time> expiry =
      text.ok() ? dial::ExpiryOf(*text) : absl::StatusOr<absl::Time>(text.status());
  checks.push_back(
      expiry.ok()
          ? CheckExpiry("own certificate", credentials.certificate_chain, *expiry, now)
          : MakeCheck("own certificate", Check::FAIL,
                      absl::StrCat(credentials.certificate_chain, ": ", expiry.status().message()),
                      "name a certificate with --tls-cert"));
}

// The name by which the registry's certificate has to know it.
std::string NameOf(const std::string& address, const dial::Credentials& credentials) {
  if (!credentials.tls_name.empty()) return credentials.tls_name;
  const absl::StatusOr<AddressParts> parts = ParseAddress(address, AddressUse::kEither);
  return parts.ok() ? parts->host : address;
}

Check CheckShownCertificate(const std::string& address, const dial::Credentials& credentials,
                            absl::Duration patience, absl::Time now) {
  constexpr char kName[] = "registry's certificate";
  const auto shown = dial::ShownCertificate(address, credentials, patience);
  if (!shown.ok()) {
    return MakeCheck(kName, Check::FAIL, shown.status().message(),
                     "is it the right address, and does it speak TLS?");
  }
  const std::string name = NameOf(address, credentials);
  const auto problem = dial::WhyNotTrusted(*shown, credentials.trusted_ca, name, now);
  if (!problem.ok()) return MakeCheck(kName, Check::FAIL, problem.status().message(), "--tls-ca");
  if (!problem->empty()) {
    return MakeCheck(
        kName, Check::FAIL,
        absl::StrCat("what ", address, " shows is not accepted as ", name, ": ", *problem),
        "renew it, name its CA with --tls-ca, or its name with --tls-name");
  }
  const absl::StatusOr<absl::Time> expiry = dial::ExpiryOf(*shown);
  if (!expiry.ok()) return MakeCheck(kName, Check::FAIL, expiry.status().message(), "renew it");
  return CheckExpiry(kName, absl::StrCat("that of ", address), *expiry, now);
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// All that can be said once a registry answers.
void CheckRegistry(Invocation& run, Checks& checks) {
  const absl::Time asked = SystemClock().Wall();
  const absl::StatusOr<v1::GetStatusResponse> status = run.registry().GetStatus({});
  const absl::Time answered = SystemClock().Wall();
  if (!status.ok()) {
    checks.push_back(MakeCheck("registry", Check::FAIL, status.status().message(),
                               "nothing else can be asked until it answers"));
    return;
  }
  checks.push_back(MakeCheck(
      "registry", Check::OK,
      absl::StrCat(status->registry_id(), " answers within ",
                   absl::FormatDuration(absl::Trunc(answered - asked, absl::Milliseconds(1))))));
  checks.push_back(CheckClock(asked, answered, TimeOf(status->time())));
  checks.push_back(CheckVersions(run.program_version(), *status));
  checks.push_back(CheckStore(*status));
  checks.push_back(CheckGateways(*status));
  checks.push_back(CheckInstances(*status));
  const absl::StatusOr<v1::WhoAmIResponse> who = run.registry().WhoAmI({});
  checks.push_back(who.ok() ? CheckAccess(*who, answered)
                            : MakeCheck("access", Check::FAIL, who.status().message(),
                                        "show other credentials, or ask an operator"));
}

std::string LevelText(const Invocation& run, Check::Level level) {
  const std::string& name = Check::Level_Name(level);
  return run.Painted(level == Check::OK     ? Colour::kGreen
                     : level == Check::WARN ? Colour::kYellow
                                            : Colour::kRed,
                     name);
}

std::string Text(const Invocation& run, const Checks& checks) {
  std::string text;
  for (const Check& check : checks) {
    absl::StrAppend(&text, LevelText(run, check.level()),
                    check.level() == Check::OK ? "    " : "  ", check.name(), ": ", check.found(),
                    "\n");
    if (!check.advice().empty()) absl::StrAppend(&text, "      → ", check.advice(), "\n");
  }
  return text;
}

absl::Status Doctor(Invocation& run, const std::vector<std::string>& configs) {
  const absl::Time now = SystemClock().Wall();
  Checks checks;
  for (const std::string& file : configs) CheckConfig(file, now, checks);
  const absl::StatusOr<Settings>& settings = run.settings();
  if (!settings.ok()) {
    checks.push_back(MakeCheck("settings", Check::FAIL, settings.status().message(),
                               "correct the option, the variable or the context"));
  } else {
    checks.push_back(MakeCheck(
        "settings", Check::OK,
        absl::StrCat(
            settings->context.empty() ? "no context" : absl::StrCat("context ", settings->context),
            ", registry ", absl::StrJoin(settings->addresses, ", "))));
    CheckOwnCertificate(settings->credentials, now, checks);
    for (const std::string& address : settings->addresses) {
      if (!settings->credentials.tls) break;
      checks.push_back(CheckShownCertificate(address, settings->credentials, run.timeout(), now));
    }
    CheckRegistry(run, checks);
  }
  command::v1::Diagnosis diagnosis;
  diagnosis.set_worst(Worst(checks));
  for (const Check& check : checks) *diagnosis.add_checks() = check;
  run.Print(diagnosis, Text(run, checks));
  if (diagnosis.worst() == Check::FAIL) run.set_exit_status(kExitFailed);
  return absl::OkStatus();
}

}  // namespace

void AddDoctorCommand(Command& root, Invocation& run) {
  Command& doctor = root.Sub("doctor", "What is wrong, or soon will be, and what to do about it");
  auto configs = std::make_shared<std::vector<std::string>>();
  doctor.Option("--config", "FILE", configs.get(),
                "Also check this configuration; may be given several times");
  doctor.Examples(
      "Looks at the settings, certificates, the registry, its clock, versions and store, the\n"
      "gateways that follow it, and what one may do there. Changes nothing.\n"
      "Exit status: 0 nothing fails, though there may be warnings; 1 something fails.\n"
      "  pinion doctor\n"
      "  pinion doctor --config /etc/pinion/gateway.yaml -o json");
  doctor.Run([configs, &run] { return Doctor(run, *configs); });
}

}  // namespace pinion::cli
