#include "clients/cli/invocation.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/address.h"
#include "base/check.h"
#include "base/deterministic_bytes.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pinion::cli {
namespace {

constexpr absl::Duration kDefaultTimeout = absl::Seconds(10);
constexpr char kHttps[] = "https://";

// Of the account that runs the program, where the environment does not say.
std::string AccountName() {
  passwd account{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::geteuid(), &account, buffer, sizeof(buffer), &found) != 0 || !found) {
    return absl::StrCat("uid ", ::geteuid());
  }
  return account.pw_name;
}

// "/run/x.sock" is meant as "unix:/run/x.sock".
std::vector<std::string> SplitAddresses(const std::string& text) {
  std::vector<std::string> addresses = absl::StrSplit(text, ',');
  for (std::string& address : addresses) {
    if (absl::StartsWith(address, "/")) address = absl::StrCat("unix:", address);
  }
  return addresses;
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  constexpr char kPrefix[] = "type.googleapis.com";
  // Known to the pool before an Any that holds one is printed.
  google::rpc::ErrorInfo::descriptor();
  const std::unique_ptr<google::protobuf::util::TypeResolver> types(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kPrefix, google::protobuf::DescriptorPool::generated_pool()));
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      types.get(), absl::StrCat(kPrefix, "/", message.GetDescriptor()->full_name()),
      DeterministicBytes(message), &json, options);
  // Only a message that is not what its descriptor says, or an unknown Any, can fail.
  CHECK(status.ok());
  return json;
}

void Invocation::AddFlags(Command& root) {
  root.Flag("--json", &json_, "Print JSON for programs");
  root.Option("--registry", "ADDRESS", &addresses_,
              absl::StrCat("Registry: HOST:PORT, https://HOST:PORT or unix:PATH, those of replicas "
                           "with commas between; else $PINION_REGISTRY, else ",
                           kDefaultRegistryAddress));
  root.Option("--actor", "NAME", &actor_,
              "Who makes the change, for the audit log, where the registry asks for no "
              "credentials; else $PINION_ACTOR, else $USER");
  root.Option("--timeout", "DURATION", &timeout_, "How long to wait for the registry; 10s");
  root.Option("--token-file", "FILE", &flags_.token_file,
              "Token to show to the registry; else $PINION_TOKEN_FILE, else the text of "
              "$PINION_TOKEN");
  root.Option("--tls-ca", "FILE", &flags_.trusted_ca,
              "Use TLS; who signs the registry's certificate; else $PINION_TLS_CA; with https:// "
              "alone whom the system trusts");
  root.Option("--tls-cert", "FILE", &flags_.certificate_chain,
              "Client certificate to show; else $PINION_TLS_CERT");
  root.Option("--tls-key", "FILE", &flags_.private_key, "Its key; else $PINION_TLS_KEY");
  root.Option("--tls-name", "NAME", &flags_.tls_name,
              "Name in the registry's certificate, if it is not HOST; else $PINION_TLS_NAME");
}

std::string Invocation::FlagOr(const std::string& flag, const char* variable) const {
  return flag.empty() ? surroundings_.environment(variable).value_or("") : flag;
}

std::vector<std::string> Invocation::registry_flag() const {
  return addresses_.empty() ? std::vector<std::string>() : SplitAddresses(addresses_);
}

std::vector<std::string> Invocation::Written() const {
  const std::string text = FlagOr(addresses_, "PINION_REGISTRY");
  if (text.empty()) return {kDefaultRegistryAddress};
  return SplitAddresses(text);
}

std::vector<std::string> Invocation::Addresses() const {
  std::vector<std::string> addresses = Written();
  for (std::string& address : addresses) address = std::string(absl::StripPrefix(address, kHttps));
  return addresses;
}

dial::Credentials Invocation::Credentials() const {
  dial::Credentials credentials{
      .trusted_ca = FlagOr(flags_.trusted_ca, "PINION_TLS_CA"),
      .certificate_chain = FlagOr(flags_.certificate_chain, "PINION_TLS_CERT"),
      .private_key = FlagOr(flags_.private_key, "PINION_TLS_KEY"),
      .tls_name = FlagOr(flags_.tls_name, "PINION_TLS_NAME"),
      .token_file = FlagOr(flags_.token_file, "PINION_TOKEN_FILE")};
  // A flag is nearer than a variable.
  if (flags_.token_file.empty()) {
    credentials.token = surroundings_.environment("PINION_TOKEN").value_or("");
    if (!credentials.token.empty()) credentials.token_file.clear();
  }
  const std::vector<std::string> written = Written();
  const bool sockets = std::all_of(written.begin(), written.end(), [](const std::string& address) {
    return absl::StartsWith(address, "unix:");
  });
  const bool https = std::any_of(written.begin(), written.end(), [](const std::string& address) {
    return absl::StartsWith(address, kHttps);
  });
  credentials.tls = !sockets && (https || !credentials.trusted_ca.empty() ||
                                 !credentials.certificate_chain.empty());
  return credentials;
}

absl::Status Invocation::CheckAddress() const {
  const dial::Credentials credentials = Credentials();
  for (const std::string& address : Addresses()) {
    // Some commands listen there.
    const auto parts = ParseAddress(address, AddressUse::kEither);
    if (!parts.ok()) return UsageError(absl::StrCat("--registry ", parts.status().message()));
    const absl::Status good = dial::CheckCredentials(address, credentials);
    if (!good.ok()) return UsageError(good.message());
  }
  return absl::OkStatus();
}

std::string Invocation::Actor() const {
  if (!actor_.empty()) return actor_;
  for (const char* name : {"PINION_ACTOR", "USER", "LOGNAME"}) {
    if (const auto value = surroundings_.environment(name); value && !value->empty()) {
      return *value;
    }
  }
  return AccountName();
}

RegistryClient& Invocation::registry() {
  if (registry_ == nullptr) {
    registry_ = std::make_unique<RegistryClient>(
        RegistryClient::Target{.addresses = Addresses(),
                               .actor = Actor(),
                               .timeout = timeout_.value_or(kDefaultTimeout),
                               .credentials = Credentials()});
  }
  return *registry_;
}

void Invocation::PrintJson(const google::protobuf::Message& message) { out() << ToJson(message); }

void Invocation::Print(const google::protobuf::Message& message, absl::string_view text) {
  if (json_) {
    PrintJson(message);
  } else {
    out() << text;
  }
}

void Invocation::PrintError(const absl::Status& status) {
  if (!json_) {
    surroundings_.err << "pinion: " << status.message() << "\n";
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
  surroundings_.err << ToJson(error);
}

int Invocation::Finish(const Command::Action& action) {
  absl::Status status = CheckAddress();
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
