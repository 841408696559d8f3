#include "clients/cli/settings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/nearest.h"
#include "base/status_macros.h"
#include "clients/cli/flags.h"

namespace pinion::cli {
namespace {

constexpr char kHttps[] = "https://";

struct Chosen {
  command::v1::Context context;
  bool by_flag = false;
};

absl::StatusOr<Chosen> ChooseContext(const Sayings& sayings,
                                     const command::v1::Contexts& contexts) {
  Chosen chosen;
  std::string name;
  if (sayings.context_flag.has_value()) {
    name = *sayings.context_flag;
    chosen.by_flag = true;
  } else if (sayings.flags.has_registry() || sayings.variables.has_registry()) {
    return chosen;
  } else {
    name = sayings.context_variable.empty() ? contexts.current() : sayings.context_variable;
  }
  if (!name.empty()) {
    ASSIGN_OR_RETURN(chosen.context, FindContext(contexts, name));
  }
  return chosen;
}

dial::Credentials CredentialsOf(const command::v1::Context& said,
                                const std::vector<std::string>& written) {
  dial::Credentials credentials{.trusted_ca = said.tls_ca(),
                                .certificate_chain = said.tls_cert(),
                                .private_key = said.tls_key(),
                                .tls_name = said.tls_name(),
                                .token_file = said.token_file()};
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

}  // namespace

std::vector<std::string> SplitAddresses(const std::string& text) {
  std::vector<std::string> addresses = absl::StrSplit(text, ',');
  for (std::string& address : addresses) {
    if (absl::StartsWith(address, "/")) address = absl::StrCat("unix:", address);
  }
  return addresses;
}

absl::StatusOr<command::v1::Context> FindContext(const command::v1::Contexts& contexts,
                                                 const std::string& name) {
  std::vector<std::string> names;
  for (const command::v1::Context& context : contexts.contexts()) {
    if (context.name() == name) return context;
    names.push_back(context.name());
  }
  return UsageError(absl::StrCat(
      "no context \"", name, "\"", DidYouMean(name, names),
      names.empty() ? absl::StrCat(": make it with `pinion context set ", name, " --registry …`")
                    : absl::StrCat("; there are: ", absl::StrJoin(names, ", "))));
}

Sayings ReadVariables(const Environment& environment) {
  const auto read = [&environment](const std::string& name) {
    return environment(name.c_str()).value_or("");
  };
  Sayings sayings;
  const google::protobuf::Descriptor& fields = *command::v1::Context::descriptor();
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = fields.field(i);
    if (field->number() == command::v1::Context::kNameFieldNumber) continue;
    std::string text = read(absl::StrCat("PINION_", absl::AsciiStrToUpper(field->name())));
    if (text.empty()) continue;
    sayings.variables.GetReflection()->SetString(&sayings.variables, field, std::move(text));
  }
  sayings.context_variable = read("PINION_CONTEXT");
  sayings.token = read("PINION_TOKEN");
  return sayings;
}

absl::StatusOr<Settings> Resolve(const Sayings& sayings, const command::v1::Contexts& contexts) {
  ASSIGN_OR_RETURN(const Chosen chosen, ChooseContext(sayings, contexts));
  // The farthest first; what is set in a nearer one replaces it.
  command::v1::Context said;
  said.MergeFrom(chosen.by_flag ? sayings.variables : chosen.context);
  said.MergeFrom(chosen.by_flag ? chosen.context : sayings.variables);
  said.MergeFrom(sayings.flags);

  Settings settings;
  settings.context = chosen.context.name();
  settings.actor = said.actor();
  const std::vector<std::string> written = said.registry().empty()
                                               ? std::vector<std::string>{kDefaultRegistryAddress}
                                               : SplitAddresses(said.registry());
  settings.credentials = CredentialsOf(said, written);
  for (const std::string& address : written) {
    settings.addresses.emplace_back(absl::StripPrefix(address, kHttps));
  }
  // The token itself is said by a variable.
  const bool nearer_file =
      sayings.flags.has_token_file() || (chosen.by_flag && chosen.context.has_token_file());
  if (!sayings.token.empty() && !nearer_file) {
    settings.credentials.token = sayings.token;
    settings.credentials.token_file.clear();
  }
  return settings;
}

}  // namespace pinion::cli
