// pinion access grant | revoke | list; pinion token create | revoke | list; pinion whoami
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/counted.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/pages.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "clients/cli/words.h"

namespace pinion::cli {
namespace {

struct GrantFlags {
  std::string role;
  std::string name;
  std::string subject;
  std::vector<std::string> creates;
  std::string reason;
};

constexpr char kRoles[] = "reader, consumer, owner, gateway or operator";

absl::StatusOr<v1::Role> RoleOf(const std::string& word) {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  if (v1::Role_Parse(absl::AsciiStrToUpper(word), &role) && role != v1::ROLE_UNSPECIFIED) {
    return role;
  }
  return UsageError(absl::StrCat("\"", word, "\" is no role: it is ", kRoles));
}

// "owner payments"
std::string RoleText(v1::Role role, const std::string& name) {
  const std::string word = absl::AsciiStrToLower(v1::Role_Name(role));
  return name.empty() ? word : absl::StrCat(word, " ", name);
}

absl::Status Grant(Invocation& run, const GrantFlags& flags) {
  if (flags.subject.empty()) return UsageError("say with --to whom it is granted to");
  v1::AddGrantRequest request;
  v1::Grant& grant = *request.mutable_grant();
  ASSIGN_OR_RETURN(const v1::Role role, RoleOf(flags.role));
  grant.set_role(role);
  grant.set_name(flags.name);
  grant.set_subject(flags.subject);
  grant.mutable_creates()->Add(flags.creates.begin(), flags.creates.end());
  request.set_reason(flags.reason);
  ASSIGN_OR_RETURN(const v1::AddGrantResponse made, run.registry().AddGrant(request));
  run.Print(made, absl::StrCat(flags.subject, made.changed() ? " is " : " was already ",
                               RoleText(role, flags.name), "\n"));
  return absl::OkStatus();
}

absl::Status Revoke(Invocation& run, const GrantFlags& flags) {
  if (flags.subject.empty()) return UsageError("say with --from whom it is taken from");
  v1::RemoveGrantRequest request;
  ASSIGN_OR_RETURN(const v1::Role role, RoleOf(flags.role));
  request.set_role(role);
  request.set_name(flags.name);
  request.set_subject(flags.subject);
  request.set_reason(flags.reason);
  ASSIGN_OR_RETURN(const v1::RemoveGrantResponse made, run.registry().RemoveGrant(request));
  run.Print(made, absl::StrCat(flags.subject, " is no longer ", RoleText(role, flags.name), "\n"));
  return absl::OkStatus();
}

absl::Status ListGrants(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::ListGrantsResponse all,
                   AllPages(run.registry(), &RegistryClient::ListGrants, v1::ListGrantsRequest()));
  Table table({"ROLE", "NAME", "SUBJECT", "MAY CREATE", "BY", "SINCE"});
  for (const v1::Grant& grant : all.grants()) {
    table.Add({RoleText(grant.role(), ""), grant.name(), grant.subject(),
               absl::StrJoin(grant.creates(), ", "), grant.meta().updated_by(),
               TimeText(grant.meta().update_time())});
  }
  std::string text = table.empty() ? "nothing has been granted\n" : table.Render();
  if (all.unauthenticated() + all.denied() > 0) {
    absl::StrAppend(
        &text, "\nrefused since the registry was started: ", Counted(all.unauthenticated(), "call"),
        " for credentials, ", Counted(all.denied(), "call"), " for want of a role\n");
  }
  run.Print(all, text);
  return absl::OkStatus();
}

struct TokenFlags {
  std::string name;
  std::string description;
  std::optional<absl::Duration> ttl;
};

absl::Status CreateToken(Invocation& run, const TokenFlags& flags) {
  v1::CreateTokenRequest request;
  request.set_name(flags.name);
  request.set_description(flags.description);
  if (flags.ttl.has_value()) *request.mutable_ttl() = ToProto(*flags.ttl);
  ASSIGN_OR_RETURN(const v1::CreateTokenResponse made, run.registry().CreateToken(request));
  run.Print(made, absl::StrCat(made.secret(), "\n"));
  return absl::OkStatus();
}

absl::Status RevokeToken(Invocation& run, const v1::RevokeTokenRequest& request) {
  ASSIGN_OR_RETURN(const v1::RevokeTokenResponse made, run.registry().RevokeToken(request));
  run.Print(made, absl::StrCat("token ", request.name(), " is no longer good\n"));
  return absl::OkStatus();
}

absl::Status ListTokens(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::ListTokensResponse all,
                   AllPages(run.registry(), &RegistryClient::ListTokens, v1::ListTokensRequest()));
  Table table({"TOKEN", "GOOD UNTIL", "BY", "SINCE", "DESCRIPTION"});
  for (const v1::Token& token : all.tokens()) {
    table.Add({token.name(), TimeText(token.expire_time()), token.meta().created_by(),
               TimeText(token.meta().create_time()), token.description()});
  }
  run.Print(all, table.empty() ? "there are no tokens\n" : table.Render());
  return absl::OkStatus();
}

absl::Status WhoAmI(Invocation& run) {
  ASSIGN_OR_RETURN(const v1::WhoAmIResponse who, run.registry().WhoAmI({}));
  std::string text = absl::StrCat(who.actor(), "\n");
  if (!who.access()) {
    absl::StrAppend(&text, "this registry asks for no credentials: everybody may do everything\n");
  }
  for (int i = 1; i < who.subjects_size(); ++i) absl::StrAppend(&text, who.subjects(i), "\n");
  if (who.operator_()) absl::StrAppend(&text, "operator: may do everything\n");
  for (const v1::Grant& grant : who.grants()) {
    if (grant.role() == v1::OPERATOR) continue;
    absl::StrAppend(&text, RoleText(grant.role(), grant.name()),
                    grant.creates().empty()
                        ? ""
                        : absl::StrCat(", and may create ", absl::StrJoin(grant.creates(), ", ")),
                    "\n");
  }
  for (const std::string& consumer : who.consumers()) {
    absl::StrAppend(&text, "consumer ", consumer, ", by its registered identity\n");
  }
  if (who.access() && !who.operator_() && who.grants().empty() && who.consumers().empty()) {
    absl::StrAppend(&text, "nothing is granted to it: `pinion access grant ROLE --to ",
                    ShellWord(who.actor()), "` is an operator's to run\n");
  }
  if (who.has_expire_time()) {
    absl::StrAppend(&text, "the credential is good until ", TimeText(who.expire_time()), "\n");
  }
  run.Print(who, text);
  return absl::OkStatus();
}

void AddAccess(Command& access, Invocation& run) {
  Command& grant = access.Sub("grant", "Give a role to somebody");
  auto to = std::make_shared<GrantFlags>();
  grant.Argument("ROLE", &to->role, kRoles);
  grant.OptionalArgument("NAME", &to->name, "Of the owner, or of the consumer");
  grant.Option("--to", "SUBJECT", &to->subject,
               "spiffe://…, dns:NAME, jwt:ISSUER#SUBJECT, group:ISSUER#NAME or token:NAME");
  grant.Option("--create", "PATTERN", &to->creates,
               "Of an owner: services and consumers that it may create; a name, NAME/* or *");
  grant.Option("--reason", "TEXT", &to->reason, "For the audit log");
  grant.Examples(
      "  pinion access grant owner payments --create 'payments/*' --to 'group:https://login#pay'\n"
      "  pinion access grant consumer billing --to spiffe://acme/billing\n"
      "  pinion access grant gateway --to dns:gateway.acme\n"
      "Every role reads. `pinion whoami` says what one's own credential is.");
  grant.Run([to, &run] { return Grant(run, *to); });

  Command& revoke = access.Sub("revoke", "Take a role away again; it holds from the next call on");
  auto from = std::make_shared<GrantFlags>();
  revoke.Argument("ROLE", &from->role, kRoles);
  revoke.OptionalArgument("NAME", &from->name, "Of the owner, or of the consumer");
  revoke.Option("--from", "SUBJECT", &from->subject, "As `pinion access list` shows it");
  revoke.Option("--reason", "TEXT", &from->reason, "For the audit log");
  revoke.Examples("  pinion access revoke owner payments --from token:old-ci");
  revoke.Run([from, &run] { return Revoke(run, *from); });

  Command& list = access.Sub("list", "What has been granted");
  list.Examples("  pinion access list");
  list.Run([&run] { return ListGrants(run); });
}

void AddToken(Command& token, Invocation& run) {
  Command& create = token.Sub("create", "Make a token, and print it this once");
  auto flags = std::make_shared<TokenFlags>();
  create.Argument("NAME", &flags->name, "Of the token: who shows it is token:NAME");
  create.Option("--ttl", "DURATION", &flags->ttl, "How long it is good; 2160h, which is 90 days");
  create.Option("--description", "TEXT", &flags->description, "For people");
  create.Examples(
      "  (umask 077; pinion token create ci/payments > ci.token)\n"
      "  pinion access grant owner payments --to token:ci/payments\n"
      "  pinion --token-file ci.token whoami");
  create.Run([flags, &run] { return CreateToken(run, *flags); });

  Command& revoke = token.Sub("revoke", "Make a token good for nothing");
  auto request = std::make_shared<v1::RevokeTokenRequest>();
  revoke.Argument("NAME", request->mutable_name(), "As `pinion token list` shows it");
  DeclareReason(revoke, *request);
  revoke.Examples("  pinion token revoke ci/payments");
  revoke.Run([request, &run] { return RevokeToken(run, *request); });

  Command& list = token.Sub("list", "Tokens that there are, not their text");
  list.Examples("  pinion token list");
  list.Run([&run] { return ListTokens(run); });
}

}  // namespace

void AddAccessCommands(Command& root, Invocation& run) {
  AddAccess(root.Sub("access", "Who may do what on the registry"), run);
  AddToken(root.Sub("token", "Tokens by which programs prove to the registry who they are"), run);
  Command& whoami =
      root.Sub("whoami", "Who the registry takes this command for, and what it may do");
  whoami.Examples(
      "  pinion whoami\n"
      "  pinion whoami --token-file ci.token");
  whoami.Run([&run] { return WhoAmI(run); });
}

}  // namespace pinion::cli
