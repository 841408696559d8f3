// pinion completion bash | zsh | fish: what a shell reads once; and pinion complete, which it then
// asks for each word.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cli/commands.h"
#include "clients/cli/completion.h"
#include "clients/cli/contexts.h"
#include "clients/cli/pages.h"

namespace pinion::cli {
namespace {

// A person waits with the finger on the key.
constexpr absl::Duration kPatience = absl::Seconds(1);

// `complete` answers in lines: first what the shell adds by itself (words: nothing; files;
// directories), then "word<tab>help" for each word.

constexpr char kBash[] = R"sh(# Completion of pinion for bash:  source <(pinion completion bash)
_pinion() {
  local i part line before words=() answer=()
  # Bash takes a=b and a:b for several words; here they are one each again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    part=${COMP_WORDS[i]}
    if ((i > 1)) && [[ $part == [=:]* || ${COMP_WORDS[i-1]} == *[=:] ]]; then
      words[${#words[@]}-1]+=$part
    else
      words+=("$part")
    fi
  done
  local typed=${words[${#words[@]}-1]} last=${COMP_WORDS[COMP_CWORD]}
  [[ $last == [=:] ]] && last=
  before=${typed%"$last"}
  mapfile -t answer < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  for line in "${answer[@]:1}"; do
    line=${line%%$'\t'*}
    COMPREPLY+=("${line#"$before"}")
  done
  case ${answer[0]} in
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
  esac
}
complete -F _pinion pinion
)sh";

constexpr char kZsh[] = R"sh(#compdef pinion
# Completion of pinion for zsh:  source <(pinion completion zsh), or _pinion in a folder of fpath
_pinion() {
  local line
  local -a answer offered
  answer=("${(@f)$("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${(@)answer[2,-1]}"; do
    [[ -n $line ]] && offered+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  (( $#offered )) && _describe -V 'pinion' offered
  case $answer[1] in
    files) _files ;;
    directories) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _pinion ]]; then
  _pinion "$@"
else
  compdef _pinion pinion
fi
)sh";

constexpr char kFish[] = R"sh(# Completion of pinion for fish:  pinion completion fish | source
function __pinion_complete
    set -l typed (commandline -ct)
    set -l words (commandline -opc)
    set -l answer ($words[1] complete -- $words[2..-1] "$typed" 2>/dev/null)
    printf '%s\n' $answer[2..-1]
    switch "$answer[1]"
        case files
            __fish_complete_path "$typed"
        case directories
            __fish_complete_directories "$typed"
    end
end
complete -c pinion -f -k -a '(__pinion_complete)'
)sh";

using Words = std::vector<Completion::Word>;

absl::Status AddServices(Invocation& run, Words& words) {
  ASSIGN_OR_RETURN(const v1::ListServicesResponse list,
                   AllPages(run.registry(), &RegistryClient::ListServices, {}));
  for (const v1::Service& one : list.services()) {
    words.push_back({one.service().name(), one.description()});
  }
  return absl::OkStatus();
}

absl::Status AddVersions(Invocation& run, const std::string& service, Words& words) {
  v1::ListVersionsRequest request;
  request.set_service(service);
  ASSIGN_OR_RETURN(const v1::ListVersionsResponse list,
                   AllPages(run.registry(), &RegistryClient::ListVersions, request));
  for (const v1::Version& one : list.versions()) {
    words.push_back({one.version().name(), one.notes()});
  }
  return absl::OkStatus();
}

absl::Status AddChannels(Invocation& run, const std::string& service, Words& words) {
  v1::ListChannelsRequest request;
  request.set_service(service);
  ASSIGN_OR_RETURN(const v1::ListChannelsResponse list,
                   AllPages(run.registry(), &RegistryClient::ListChannels, request));
  for (const v1::Channel& one : list.channels()) {
    words.push_back({one.channel().name(), one.channel().version()});
  }
  return absl::OkStatus();
}

absl::Status AddConsumers(Invocation& run, Words& words) {
  ASSIGN_OR_RETURN(const v1::ListConsumersResponse list,
                   AllPages(run.registry(), &RegistryClient::ListConsumers, {}));
  for (const v1::Consumer& one : list.consumers()) {
    words.push_back({one.consumer().name(), one.description()});
  }
  return absl::OkStatus();
}

absl::Status AddContexts(Invocation& run, Words& words) {
  ASSIGN_OR_RETURN(const command::v1::Contexts contexts, LoadContexts(run.contexts_path()));
  for (const command::v1::Context& one : contexts.contexts()) {
    words.push_back({one.name(), one.registry()});
  }
  return absl::OkStatus();
}

absl::Status AddNames(Invocation& run, const Completion& completion, Words& words) {
  switch (completion.named) {
    case Completion::Named::kService:
      return AddServices(run, words);
    case Completion::Named::kVersion:
      return completion.service.empty() ? absl::OkStatus()
                                        : AddVersions(run, completion.service, words);
    case Completion::Named::kChannel:
      return completion.service.empty() ? absl::OkStatus()
                                        : AddChannels(run, completion.service, words);
    case Completion::Named::kConsumer:
      return AddConsumers(run, words);
    case Completion::Named::kContext:
      return AddContexts(run, words);
    case Completion::Named::kNothing:
    case Completion::Named::kFile:
    case Completion::Named::kDirectory:
      break;
  }
  return absl::OkStatus();
}

// A shell reads lines.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

absl::Status Answer(Invocation& run, const command::v1::Command& program,
                    const std::vector<std::string>& typed) {
  const Completion completion = Complete(program, typed);
  run.Say(completion.said, completion.context);
  run.set_patience(kPatience);
  Words names;
  // A registry that cannot be asked knows no names; that is no news while somebody types.
  AddNames(run, completion, names).IgnoreError();
  const bool files = completion.named == Completion::Named::kFile;
  const bool directories = completion.named == Completion::Named::kDirectory;
  run.out() << (files ? "files\n" : directories ? "directories\n" : "words\n");
  for (const Completion::Word& one : completion.words) {
    run.out() << absl::StrCat(one.word, "\t", one.help, "\n");
  }
  for (const Completion::Word& one : names) {
    if (!absl::StartsWith(one.word, completion.typed)) continue;
    run.out() << absl::StrCat(completion.before, one.word, "\t", OneLine(one.help), "\n");
  }
  return absl::OkStatus();
}

}  // namespace

void AddCompletionCommands(Command& root, Invocation& run) {
  Command& completion =
      root.Sub("completion", "What makes a shell complete the words of this program");
  const auto shell = [&](const char* name, const char* script, const char* where) {
    Command& command = completion.Sub(name, absl::StrCat("The script for ", name));
    command.Examples(where);
    command.Run([script, &run] {
      run.out() << script;
      return absl::OkStatus();
    });
  };
  shell("bash", kBash,
        "For this shell, or for every new one:\n"
        "  source <(pinion completion bash)\n"
        "  pinion completion bash > ~/.local/share/bash-completion/completions/pinion");
  shell("zsh", kZsh,
        "For this shell, or for every new one:\n"
        "  source <(pinion completion zsh)\n"
        "  pinion completion zsh > /usr/local/share/zsh/site-functions/_pinion");
  shell("fish", kFish,
        "For this shell, or for every new one:\n"
        "  pinion completion fish | source\n"
        "  pinion completion fish > ~/.config/fish/completions/pinion.fish");

  Command& complete = root.Sub("complete", "What may stand next on a line, for shells");
  complete.Hide();
  auto typed = std::make_shared<std::vector<std::string>>();
  constexpr int kWordsMax = 1000;
  complete.Arguments("WORD", typed.get(), 1, kWordsMax,
                     "What stands behind the program's name; the last is being typed");
  complete.Run([typed, &root, &run] { return Answer(run, root.Describe(), *typed); });
}

}  // namespace pinion::cli
