#include "clients/cli/invocation.h"

#include <pwd.h>
#include <unistd.h>

#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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
  root.Option(
      "--registry", "ADDRESS", &addresses_,
      absl::StrCat("Registry: HOST:PORT or unix:PATH, those of replicas with commas between; "
                   "else $PINION_REGISTRY, else ",
                   kDefaultRegistryAddress));
  root.Option("--actor", "NAME", &actor_,
              "Who makes the change, for the audit log; else $PINION_ACTOR, else $USER");
  root.Option("--timeout", "DURATION", &timeout_, "How long to wait for the registry; 10s");
}

std::vector<std::string> Invocation::registry_flag() const {
  return addresses_.empty() ? std::vector<std::string>() : SplitAddresses(addresses_);
}

std::vector<std::string> Invocation::Addresses() const {
  std::string text = addresses_;
  if (text.empty()) text = surroundings_.environment("PINION_REGISTRY").value_or("");
  if (text.empty()) return {kDefaultRegistryAddress};
  return SplitAddresses(text);
}

absl::Status Invocation::CheckAddress() const {
  for (const std::string& address : Addresses()) {
    // Some commands listen there.
    const auto parts = ParseAddress(address, AddressUse::kEither);
    if (!parts.ok()) return UsageError(absl::StrCat("--registry ", parts.status().message()));
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
    registry_ =
        std::make_unique<RegistryClient>(Addresses(), Actor(), timeout_.value_or(kDefaultTimeout));
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
