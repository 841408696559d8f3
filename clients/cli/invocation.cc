#include "clients/cli/invocation.h"

#include <pwd.h>
#include <unistd.h>

#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/address.h"
#include "base/deterministic_bytes.h"
#include "base/status_macros.h"
#include "clients/cli/contexts.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pinion::cli {
namespace {

// Of the account that runs the program.
std::string AccountName(const Environment& environment) {
  for (const char* name : {"USER", "LOGNAME"}) {
    const std::string said = environment(name).value_or("");
    if (!said.empty()) return said;
  }
  passwd account{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::geteuid(), &account, buffer, sizeof(buffer), &found) != 0 || !found) {
    return absl::StrCat("uid ", ::geteuid());
  }
  return account.pw_name;
}

}  // namespace

void Invocation::AddFlags(Command& root) {
  command::v1::Context& said = sayings_.flags;
  const auto option = [&root](absl::string_view flags, absl::string_view name, auto set,
                              const std::string& help) {
    root.Option(flags, name, std::function<void(const std::string&)>(set), help);
  };
  root.Choice("-o,--output", {"table", "json", "yaml"}, &output_,
              "How results are printed: for people (table), or for programs");
  root.Flag("--json", &json_, "The same as -o json");
  option(
      "--context", "CONTEXT", [this](const std::string& name) { sayings_.context_flag = name; },
      "What to know of the registry (`pinion context`); else $PINION_CONTEXT, else the one in use; "
      "'': none");
  option(
      "--registry", "ADDRESS", [&said](const std::string& text) { said.set_registry(text); },
      absl::StrCat("Registry: HOST:PORT, https://HOST:PORT or unix:PATH, those of replicas with "
                   "commas between; else $PINION_REGISTRY, else the context's, else ",
                   kDefaultRegistryAddress));
  option(
      "--actor", "NAME", [&said](const std::string& text) { said.set_actor(text); },
      "Who makes the change, for the audit log, where the registry asks for no credentials; else "
      "$PINION_ACTOR, else the context's, else $USER");
  root.Option("--timeout", "DURATION", &timeout_, "How long to wait for the registry; 10s");
  option(
      "--token-file", "FILE", [&said](const std::string& text) { said.set_token_file(text); },
      "Token to show to the registry; else the text of $PINION_TOKEN, else $PINION_TOKEN_FILE, "
      "else the context's");
  option(
      "--tls-ca", "FILE", [&said](const std::string& text) { said.set_tls_ca(text); },
      "Use TLS; who signs the registry's certificate; else $PINION_TLS_CA, else the context's; "
      "with https:// alone whom the system trusts");
  option(
      "--tls-cert", "FILE", [&said](const std::string& text) { said.set_tls_cert(text); },
      "Client certificate to show; else $PINION_TLS_CERT, else the context's");
  option(
      "--tls-key", "FILE", [&said](const std::string& text) { said.set_tls_key(text); },
      "Its key; else $PINION_TLS_KEY, else the context's");
  option(
      "--tls-name", "NAME", [&said](const std::string& text) { said.set_tls_name(text); },
      "Name in the registry's certificate, if it is not HOST; else $PINION_TLS_NAME, else the "
      "context's");
}

void Invocation::Say(const command::v1::Context& said, const std::optional<std::string>& context) {
  sayings_.flags = said;
  sayings_.context_flag = context;
}

Output Invocation::output() const {
  if (json_ || output_ == "json") return Output::kJson;
  return output_ == "yaml" ? Output::kYaml : Output::kTable;
}

std::vector<std::string> Invocation::registry_flag() const {
  const std::string& text = sayings_.flags.registry();
  return text.empty() ? std::vector<std::string>() : SplitAddresses(text);
}

// What every command takes to be right, also those that talk to no registry, or are one.
absl::Status Invocation::CheckFlags() const {
  if (json_ && !output_.empty() && output_ != "json") {
    return UsageError(absl::StrCat("--json is -o json, and -o says ", output_));
  }
  for (const std::string& address : registry_flag()) {
    const auto parts = ParseAddress(absl::StripPrefix(address, "https://"), AddressUse::kEither);
    if (!parts.ok()) return UsageError(absl::StrCat("--registry ", parts.status().message()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Settings> Invocation::ReadSettings() const {
  Sayings sayings = ReadVariables(surroundings_.environment);
  sayings.flags = sayings_.flags;
  sayings.context_flag = sayings_.context_flag;
  ASSIGN_OR_RETURN(const command::v1::Contexts contexts, LoadContexts(contexts_path()));
  ASSIGN_OR_RETURN(Settings settings, Resolve(sayings, contexts));
  for (const std::string& address : settings.addresses) {
    const auto parts = ParseAddress(address, AddressUse::kEither);
    if (!parts.ok()) return UsageError(absl::StrCat("--registry ", parts.status().message()));
    const absl::Status good = dial::CheckCredentials(address, settings.credentials);
    if (!good.ok()) return UsageError(good.message());
  }
  if (settings.actor.empty()) settings.actor = AccountName(surroundings_.environment);
  return settings;
}

const absl::StatusOr<Settings>& Invocation::settings() {
  if (!settings_.has_value()) settings_.emplace(ReadSettings());
  return *settings_;
}

std::string Invocation::contexts_path() const { return ContextsPath(surroundings_.environment); }

std::string Invocation::Actor() {
  return settings().ok() ? settings()->actor : AccountName(surroundings_.environment);
}

RegistryClient& Invocation::registry() {
  if (registry_ != nullptr) return *registry_;
  if (!settings().ok()) {
    registry_ = std::make_unique<RegistryClient>(settings().status());
    return *registry_;
  }
  registry_ = std::make_unique<RegistryClient>(
      RegistryClient::Target{.addresses = settings()->addresses,
                             .actor = settings()->actor,
                             .timeout = timeout(),
                             .credentials = settings()->credentials});
  return *registry_;
}

std::string Invocation::ForPrograms(std::string json) const {
  return output() == Output::kYaml ? JsonToYaml(json) : json;
}

void Invocation::Print(const google::protobuf::Message& message, absl::string_view text) {
  if (for_people()) {
    out() << text;
  } else {
    PrintJsonText(ToJson(message));
  }
}

void Invocation::PrintJsonText(const std::string& json) { out() << ForPrograms(json); }

std::string Invocation::Painted(Colour colour, absl::string_view text) const {
  return surroundings_.out_is_terminal ? Paint(colour, text, surroundings_.environment)
                                       : std::string(text);
}

void Invocation::PrintError(const absl::Status& status) {
  if (for_people()) {
    const bool paint = surroundings_.err_is_terminal;
    err() << (paint ? Paint(Colour::kRed, "pinion:", surroundings_.environment) : "pinion:") << " "
          << status.message() << "\n";
    return;
  }
  google::rpc::Status error;
  if (const auto payload = status.GetPayload(kStatusDetailsPayload)) {
    error.ParseFromString(std::string(*payload));
  }
  error.set_code(static_cast<int>(status.code()));
  error.set_message(std::string(status.message()));
  // Details of types that this program does not know cannot be printed; those with maps are packed
  // anew, in an order that is always the same.
  for (int i = error.details_size() - 1; i >= 0; --i) {
    google::rpc::ErrorInfo info;
    google::rpc::PreconditionFailure failure;
    if (error.details(i).UnpackTo(&info)) {
      error.mutable_details(i)->set_value(DeterministicBytes(info));
    } else if (!error.details(i).UnpackTo(&failure)) {
      error.mutable_details()->DeleteSubrange(i, 1);
    }
  }
  err() << ForPrograms(ToJson(error));
}

int Invocation::Finish(const Command::Action& action) {
  absl::Status status = CheckFlags();
  if (status.ok()) status = action();
  out().flush();
  if (!status.ok()) {
    PrintError(status);
    return answers_ || IsUsageError(status) ? kExitUsage : kExitFailed;
  }
  if (!out().good()) {
    PrintError(
        absl::DataLossError("cannot write the output: is the disk full or the pipe closed?"));
    return kExitFailed;
  }
  return exit_status_;
}

}  // namespace pinion::cli
