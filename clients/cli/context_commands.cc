// pinion context use | list | show | set | remove | current
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/contexts.h"
#include "clients/cli/table.h"

namespace pinion::cli {
namespace {

using command::v1::Context;
using command::v1::Contexts;

absl::Status CheckName(const std::string& name) {
  const bool good =
      !name.empty() && name[0] != '-' && std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(c) || absl::StrContains("._-/", c);
      });
  if (good) return absl::OkStatus();
  return UsageError(absl::StrCat("\"", name,
                                 "\" is no name of a context: write letters, digits and `.`, `_`, "
                                 "`-` or `/`, such as prod"));
}

std::string CredentialsText(const Context& context) {
  std::vector<std::string> parts;
  if (!context.token_file().empty()) parts.push_back("token");
  if (!context.tls_cert().empty()) parts.push_back("certificate");
  if (parts.empty() && !context.tls_ca().empty()) parts.push_back("none, over TLS");
  return absl::StrJoin(parts, ", ");
}

std::string Fields(const Context& context) {
  return RenderFields({
      {"context", context.name()},
      {"registry", context.registry()},
      {"actor", context.actor()},
      {"token file", context.token_file()},
      {"TLS CA", context.tls_ca()},
      {"TLS certificate", context.tls_cert()},
      {"TLS key", context.tls_key()},
      {"TLS name", context.tls_name()},
  });
}

// The one that counts for this run. NotFound: none does.
absl::StatusOr<Context> Effective(Invocation& run) {
  RETURN_IF_ERROR(run.settings().status());
  const std::string& name = run.settings()->context;
  if (name.empty()) {
    return absl::NotFoundError(
        "no context counts here: choose one with `pinion context use NAME`, or --context");
  }
  ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(run.contexts_path()));
  return FindContext(contexts, name);
}

absl::Status List(Invocation& run) {
  ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(run.contexts_path()));
  Table table({"IN USE", "CONTEXT", "REGISTRY", "CREDENTIALS"});
  for (const Context& context : contexts.contexts()) {
    table.Add({context.name() == contexts.current() ? "*" : "", context.name(), context.registry(),
               CredentialsText(context)});
  }
  run.Print(contexts, table.empty() ? "no contexts: make one with `pinion context set NAME "
                                      "--registry ADDRESS`\n"
                                    : table.Render());
  return absl::OkStatus();
}

absl::Status Show(Invocation& run, const std::string& name) {
  Context context;
  if (name.empty()) {
    ASSIGN_OR_RETURN(context, Effective(run));
  } else {
    ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(run.contexts_path()));
    ASSIGN_OR_RETURN(context, FindContext(contexts, name));
  }
  run.Print(context, Fields(context));
  return absl::OkStatus();
}

absl::Status Current(Invocation& run) {
  ASSIGN_OR_RETURN(const Context context, Effective(run));
  run.Print(context, absl::StrCat(context.name(), "\n"));
  return absl::OkStatus();
}

absl::Status Use(Invocation& run, const std::string& name) {
  Context used;
  RETURN_IF_ERROR(ChangeContexts(run.contexts_path(), [&](Contexts& contexts) -> absl::Status {
    ASSIGN_OR_RETURN(used, FindContext(contexts, name));
    contexts.set_current(name);
    return absl::OkStatus();
  }));
  run.Print(used, absl::StrCat("from now on commands go to ", name,
                               used.registry().empty() ? "" : ": ", used.registry(), "\n"));
  return absl::OkStatus();
}

absl::Status Remove(Invocation& run, const std::string& name) {
  Contexts left;
  bool was_in_use = false;
  RETURN_IF_ERROR(ChangeContexts(run.contexts_path(), [&](Contexts& contexts) -> absl::Status {
    RETURN_IF_ERROR(FindContext(contexts, name).status());
    auto& all = *contexts.mutable_contexts();
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&name](const Context& one) { return one.name() == name; }),
              all.end());
    was_in_use = contexts.current() == name;
    if (was_in_use) contexts.clear_current();
    left = contexts;
    return absl::OkStatus();
  }));
  run.Print(left, absl::StrCat("removed context ", name,
                               was_in_use ? ", which was in use; now none is" : "", "\n"));
  return absl::OkStatus();
}

// What the line says, with absolute paths; an empty value takes away what was said before.
void Merge(const Context& said, Context& context) {
  const google::protobuf::Reflection& reflection = *said.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(said, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    std::string value = reflection.GetString(said, field);
    const bool is_file = absl::EndsWith(field->name(), "_file") || field->name() == "tls_ca" ||
                         field->name() == "tls_cert" || field->name() == "tls_key";
    if (value.empty()) {
      context.GetReflection()->ClearField(&context, field);
      continue;
    }
    if (is_file) value = std::filesystem::absolute(value).lexically_normal();
    context.GetReflection()->SetString(&context, field, std::move(value));
  }
}

absl::Status Set(Invocation& run, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  Context made;
  bool none_in_use = false;
  RETURN_IF_ERROR(ChangeContexts(run.contexts_path(), [&](Contexts& contexts) {
    Context* context = nullptr;
    for (Context& one : *contexts.mutable_contexts()) {
      if (one.name() == name) context = &one;
    }
    if (context == nullptr) context = contexts.add_contexts();
    context->set_name(name);
    Merge(run.flags(), *context);
    made = *context;
    none_in_use = contexts.current().empty();
    return absl::OkStatus();
  }));
  run.Print(made,
            absl::StrCat(Fields(made),
                         none_in_use ? absl::StrCat("next: pinion context use ", name, "\n") : ""));
  return absl::OkStatus();
}

}  // namespace

void AddContextCommands(Command& root, Invocation& run) {
  Command& context = root.Sub("context", "What to know of each registry, under a name");
  context.Examples(
      "What is said nearest counts: an option, then the context that --context names, then a\n"
      "variable, then the context in use. A registry named by an option or a variable leaves the\n"
      "context in use out.\n"
      "  pinion context set prod --registry https://registry.acme:8081 --token-file prod.token\n"
      "  pinion context use prod\n"
      "  pinion --context prod status");
  const auto named = [&context, &run](const char* verb, const char* help, const char* example,
                                      absl::Status (*act)(Invocation&, const std::string&)) {
    Command& command = context.Sub(verb, help);
    auto name = std::make_shared<std::string>();
    command.Argument("CONTEXT", name.get(), "Its name");
    command.Examples(example);
    command.Run([name, act, &run] { return act(run, *name); });
  };
  named("use", "From now on go to this registry", "  pinion context use prod", Use);
  Command& list = context.Sub("list", "All contexts");
  list.Examples("  pinion context list");
  list.Run([&run] { return List(run); });

  Command& show = context.Sub("show", "One context");
  auto shown = std::make_shared<std::string>();
  show.OptionalArgument("CONTEXT", shown.get(), "Its name; else the one that counts here");
  show.Examples("  pinion context show prod");
  show.Run([shown, &run] { return Show(run, *shown); });

  named("set", "Keep what the options of this line say: --registry, --actor, --token-file, --tls-…",
        "An empty value takes away what was kept. Of secrets only the path is kept.\n"
        "  pinion context set prod --registry https://registry.acme:8081 --tls-ca ca.pem\n"
        "  pinion context set prod --token-file ''",
        Set);
  named("remove", "Forget one", "  pinion context remove prod", Remove);
  Command& current = context.Sub("current", "The name of the one that counts here");
  current.Examples("  pinion context current");
  current.Run([&run] { return Current(run); });
}

}  // namespace pinion::cli
