#include "pinion/accept_command.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/status_macros.h"
#include "gateway/admin/admin_client.h"
#include "google/protobuf/struct.pb.h"

namespace pinion {
namespace {

// Where `pinion serve` has it unless told otherwise.
constexpr char kDefaultAdminAddress[] = "127.0.0.1:8082";

struct AcceptFlags {
  std::string registry_id;
  std::string admin = kDefaultAdminAddress;
};

absl::Status RunAccept(cli::Invocation& run, const AcceptFlags& flags) {
  const absl::StatusOr<AddressParts> parts = ParseAddress(flags.admin, AddressUse::kConnect);
  if (!parts.ok()) return cli::UsageError(absl::StrCat("--admin ", parts.status().message()));
  ASSIGN_OR_RETURN(const std::string answer, admin::Accept(flags.admin, flags.registry_id));
  google::protobuf::Struct accepted;
  (*accepted.mutable_fields())["registry_id"].set_string_value(flags.registry_id);
  run.Print(accepted, absl::StrCat(answer, "\n"));
  return absl::OkStatus();
}

}  // namespace

void AddAcceptCommand(cli::Command& gateway, cli::Invocation& run) {
  cli::Command& accept =
      gateway.Sub("accept", "Let a gateway that runs take over what it has refused");
  auto flags = std::make_shared<AcceptFlags>();
  accept.Argument("REGISTRY-ID", &flags->registry_id,
                  "Of the registry whose next snapshot is right; the refusal names it");
  accept.Option("--admin", "ADDRESS", &flags->admin,
                absl::StrCat("The gateway's admin port; ", kDefaultAdminAddress));
  accept.Examples(
      "A gateway refuses another registry, a lower revision, and the loss of most instances at\n"
      "once; its log and /readyz say which, and this command.\n"
      "  pinion gateway accept 5b0c8f6e2d1a4c3b --admin 127.0.0.1:8082");
  accept.Run([flags, &run] { return RunAccept(run, *flags); });
}

}  // namespace pinion
