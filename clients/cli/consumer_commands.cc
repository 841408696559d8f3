// pinion consumer add | set | list | show
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace pinion::cli {
namespace {

struct Flags {
  std::string name;
  std::vector<std::string> spiffe;
  std::vector<std::string> dns_san;
  std::vector<std::string> jwt;
  std::vector<std::string> api_key_sha256;
  std::vector<std::string> header;
  std::optional<std::string> default_channel;
  std::optional<std::string> description;
  std::optional<std::string> owner;
  std::optional<int64_t> expected_revision;

  bool has_identities() const {
    return !(spiffe.empty() && dns_san.empty() && jwt.empty() && api_key_sha256.empty() &&
             header.empty());
  }
};

void Declare(Command& command, Flags& flags) {
  command.Argument("CONSUMER", &flags.name, "Name of the consumer");
  command.Option("--spiffe", "URI", &flags.spiffe, "Identity: SPIFFE URI of its certificate");
  command.Option("--dns-san", "NAME", &flags.dns_san, "Identity: DNS name of its certificate");
  command.Option("--jwt", "ISSUER,SUBJECT", &flags.jwt, "Identity: issuer and subject of its JWT");
  command.Option("--api-key-sha256", "HEX", &flags.api_key_sha256,
                 "Identity: SHA-256 of its API key");
  command.Option("--header", "VALUE", &flags.header,
                 "Identity: value of a listener's trusted header; the consumer's name if none is "
                 "given");
  command.Option("--default-channel", "NAME", &flags.default_channel,
                 "Channel for services that it has no pin for");
  command.Option("--description", "TEXT", &flags.description, "For people");
  command.Option("--owner", "NAME", &flags.owner, "Who it belongs to");
}

absl::Status FillIdentities(const Flags& flags, routing::v1::Consumer& consumer) {
  for (const std::string& uri : flags.spiffe) consumer.add_identities()->set_spiffe_uri(uri);
  for (const std::string& name : flags.dns_san) consumer.add_identities()->set_dns_san(name);
  for (const std::string& text : flags.jwt) {
    // Issuers are often URLs, which have no comma; a subject may.
    const size_t comma = text.find(',');
    if (comma == std::string::npos) {
      return UsageError(absl::StrCat("--jwt \"", text, "\": write ISSUER,SUBJECT"));
    }
    auto& jwt = *consumer.add_identities()->mutable_jwt();
    jwt.set_issuer(text.substr(0, comma));
    jwt.set_subject(text.substr(comma + 1));
  }
  for (const std::string& hex : flags.api_key_sha256) {
    consumer.add_identities()->set_api_key_sha256(hex);
  }
  for (const std::string& value : flags.header) {
    consumer.add_identities()->set_trusted_header(value);
  }
  return absl::OkStatus();
}

std::string IdentityText(const routing::v1::Identity& identity) {
  switch (identity.identity_case()) {
    case routing::v1::Identity::kSpiffeUri:
      return identity.spiffe_uri();
    case routing::v1::Identity::kDnsSan:
      return absl::StrCat("dns:", identity.dns_san());
    case routing::v1::Identity::kJwt:
      return absl::StrCat("jwt:", identity.jwt().issuer(), ",", identity.jwt().subject());
    case routing::v1::Identity::kApiKeySha256:
      return absl::StrCat("api-key:", ShortDigest(identity.api_key_sha256()), "…");
    case routing::v1::Identity::kTrustedHeader:
      return absl::StrCat("header:", identity.trusted_header());
    case routing::v1::Identity::IDENTITY_NOT_SET:
      break;
  }
  return "?";
}

std::string IdentitiesText(const routing::v1::Consumer& consumer) {
  std::vector<std::string> texts;
  for (const auto& identity : consumer.identities()) texts.push_back(IdentityText(identity));
  return absl::StrJoin(texts, ", ");
}

std::string Fields(const v1::Consumer& consumer) {
  return RenderFields({
      {"consumer", consumer.consumer().name()},
      {"description", consumer.description()},
      {"identities", IdentitiesText(consumer.consumer())},
      {"default channel", consumer.consumer().default_channel()},
      {"owner", consumer.meta().owner()},
      {"changed",
       absl::StrCat(TimeText(consumer.meta().update_time()), " by ", consumer.meta().updated_by())},
      {"revision", absl::StrCat(consumer.meta().revision())},
  });
}

absl::Status Add(Invocation& run, const Flags& flags) {
  v1::CreateConsumerRequest request;
  request.mutable_consumer()->set_name(flags.name);
  request.mutable_consumer()->set_default_channel(flags.default_channel.value_or(""));
  RETURN_IF_ERROR(FillIdentities(flags, *request.mutable_consumer()));
  request.set_description(flags.description.value_or(""));
  request.set_owner(flags.owner.value_or(""));
  ASSIGN_OR_RETURN(const v1::Consumer made, run.registry().CreateConsumer(request));
  run.Print(made,
            absl::StrCat("consumer ", flags.name, " is registered, owner ", made.meta().owner(),
                         "\nnext: pinion pin set ", flags.name, " SERVICE EXPRESSION\n"));
  return absl::OkStatus();
}

// UpdateConsumer replaces identities and default channel, so what no flag names is read first, and
// the change is bound to the revision that was read.
absl::Status Set(Invocation& run, const Flags& flags) {
  v1::GetConsumerRequest get;
  get.set_name(flags.name);
  ASSIGN_OR_RETURN(const v1::Consumer now, run.registry().GetConsumer(get));
  v1::UpdateConsumerRequest request;
  *request.mutable_consumer() = now.consumer();
  request.set_expected_revision(flags.expected_revision.value_or(now.meta().revision()));
  if (flags.has_identities()) {
    request.mutable_consumer()->clear_identities();
    RETURN_IF_ERROR(FillIdentities(flags, *request.mutable_consumer()));
  }
  if (flags.default_channel) {
    request.mutable_consumer()->set_default_channel(*flags.default_channel);
  }
  if (flags.description) request.set_description(*flags.description);
  if (flags.owner) request.set_owner(*flags.owner);
  ASSIGN_OR_RETURN(const v1::Consumer made, run.registry().UpdateConsumer(request));
  run.Print(made, Fields(made));
  return absl::OkStatus();
}

absl::Status List(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::ListConsumersResponse list,
                   AllPages(run.registry(), &RegistryClient::ListConsumers, {}));
  Table table({"CONSUMER", "DEFAULT CHANNEL", "OWNER", "IDENTITIES"});
  for (const v1::Consumer& one : list.consumers()) {
    table.Add({one.consumer().name(), one.consumer().default_channel(), one.meta().owner(),
               IdentitiesText(one.consumer())});
  }
  run.Print(list, table.empty() ? "no consumers yet: add one with `pinion consumer add`\n"
                                : table.Render());
  return absl::OkStatus();
}

}  // namespace

void AddConsumerCommands(Command& root, Invocation& run) {
  Command& consumer = root.Sub("consumer", "Registered callers");

  Command& add = consumer.Sub("add", "Register a caller");
  auto added = std::make_shared<Flags>();
  Declare(add, *added);
  add.Examples(
      "  pinion consumer add billing\n"
      "  pinion consumer add billing --spiffe spiffe://acme/billing");
  add.Run([added, &run] { return Add(run, *added); });

  Command& set = consumer.Sub("set", "Change a caller; identities are replaced if any is named");
  auto changed = std::make_shared<Flags>();
  Declare(set, *changed);
  set.Option("--expected-revision", "REVISION", &changed->expected_revision,
             "Refuse if it was changed since");
  set.Examples("  pinion consumer set billing --default-channel stable");
  set.Run([changed, &run] { return Set(run, *changed); });

  Command& list = consumer.Sub("list", "All callers");
  list.Examples("  pinion consumer list");
  list.Run([&run] { return List(run); });

  Command& show = consumer.Sub("show", "One caller");
  auto get = std::make_shared<v1::GetConsumerRequest>();
  show.Argument("CONSUMER", get->mutable_name(), "Name of the consumer");
  show.Examples("  pinion consumer show billing");
  show.Run([get, &run]() -> absl::Status {
    ASSIGN_OR_RETURN(const v1::Consumer found, run.registry().GetConsumer(*get));
    run.Print(found, Fields(found));
    return absl::OkStatus();
  });
}

}  // namespace pinion::cli
