#include "clients/cli/flags.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/nearest.h"

namespace pinion::cli {
namespace {

constexpr char kUsagePayload[] = "pinion.usage";

struct ExitMeaning {
  int status;
  absl::string_view meaning;
};
constexpr ExitMeaning kExitMeanings[] = {
    {kExitOk, "Done; of a command that answers a question: yes, or nothing was found."},
    {kExitFailed,
     "It could not be done; of a command that answers a question: no, or something "
     "was found. The last line on standard error says why."},
    {kExitUsage,
     "The line cannot be meant, and nothing was done; of a command that answers a "
     "question: it could not be answered."},
};

// Declares an option whose text `convert` turns into what `take` is given; nullopt is what
// `expected` is not.
template <typename Take, typename Convert>
void AddConverted(CLI::App& app, absl::string_view flags, absl::string_view name,
                  absl::string_view help, Take take, const std::string& expected, Convert convert) {
  CLI::Option* option = app.add_option_function<std::string>(
      std::string(flags), [take, convert](const std::string& text) { take(*convert(text)); },
      std::string(help));
  option->type_name(std::string(name));
  option->check([convert, expected](const std::string& text) {
    return convert(text).has_value() ? std::string()
                                     : absl::StrCat("\"", text, "\" is not ", expected);
  });
}

std::optional<int64_t> ToInt(const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

std::optional<absl::Duration> ToDuration(const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) return std::nullopt;
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) return std::nullopt;
  return duration;
}

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsagePayload, absl::Cord("1"));
  return status;
}

bool IsUsageError(const absl::Status& status) {
  return status.GetPayload(kUsagePayload).has_value();
}

class Command::Impl {
 public:
  Impl(CLI::App* app, std::string path) : app(app), path(std::move(path)) {}

  std::unique_ptr<CLI::App> owned;  // of the program; CLI11 owns the rest
  CLI::App* app;
  std::string path;  // "pinion pin set"
  std::vector<std::unique_ptr<Command>> subs;
  Action action;
  std::vector<std::string> notes;     // lines
  std::vector<std::string> examples;  // command lines
  std::map<const CLI::Option*, std::vector<std::string>> choices;
  bool hidden = false;

  // A word that does something by itself may stand alone.
  void RequireSub() {
    if (!subs.empty()) app->require_subcommand(action == nullptr ? 1 : 0, 1);
  }
  // The leaf that the parsed line names.
  const Impl& Leaf() const {
    for (const auto& sub : subs) {
      if (sub->impl_->app->parsed()) return sub->impl_->Leaf();
    }
    return *this;
  }
  std::vector<std::string> SubWords() const {
    std::vector<std::string> words;
    for (const auto& sub : subs) {
      if (!sub->impl_->hidden) words.push_back(sub->impl_->app->get_name());
    }
    return words;
  }
  // Its own; of a word that only has verbs, one of each.
  std::vector<std::string> Examples() const {
    const bool is_program = owned != nullptr;
    if (!examples.empty() || action != nullptr || is_program) return examples;
    std::vector<std::string> all;
    for (const auto& sub : subs) {
      const std::vector<std::string> of_verb = sub->impl_->Examples();
      if (!sub->impl_->hidden && !of_verb.empty()) all.push_back(of_verb.front());
    }
    return all;
  }
  // Once everything is declared: what stands below each help text.
  void WriteFooters() {
    std::string text = absl::StrJoin(notes, "\n");
    for (const std::string& line : Examples()) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", "  ", line);
    }
    app->footer(text);
    for (const auto& sub : subs) sub->impl_->WriteFooters();
  }
};

Command::Command(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Command::~Command() = default;

Command& Command::Sub(absl::string_view word, absl::string_view help) {
  CLI::App* app = impl_->app->add_subcommand(std::string(word), std::string(help));
  app->fallthrough();  // the program's options
  auto impl = std::make_unique<Impl>(app, absl::StrCat(impl_->path, " ", word));
  impl_->subs.push_back(
      std::unique_ptr<Command>(new Command(std::move(impl))));  // private constructor
  impl_->RequireSub();
  return *impl_->subs.back();
}

void Command::Run(Action action) {
  impl_->action = std::move(action);
  impl_->RequireSub();
}

void Command::Examples(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "  ")) {
      impl_->examples.emplace_back(line);
    } else {
      impl_->notes.emplace_back(line);
    }
  }
}

void Command::Hide() {
  impl_->hidden = true;
  impl_->app->group("");
}

void Command::Argument(absl::string_view name, std::string* value, absl::string_view help) {
  impl_->app->add_option(std::string(name), *value, std::string(help))->required()->type_name("");
}

void Command::OptionalArgument(absl::string_view name, std::string* value, absl::string_view help) {
  impl_->app->add_option(std::string(name), *value, std::string(help))->type_name("");
}

void Command::Arguments(absl::string_view name, std::vector<std::string>* values, int count_min,
                        int count_max, absl::string_view help) {
  impl_->app->add_option(std::string(name), *values, std::string(help))
      ->required(count_min > 0)
      ->type_name("")
      ->expected(count_min, count_max);
}

void Command::Option(absl::string_view flags, absl::string_view name, std::string* value,
                     absl::string_view help) {
  impl_->app->add_option(std::string(flags), *value, std::string(help))
      ->type_name(std::string(name));
}

void Command::Option(absl::string_view flags, absl::string_view name,
                     std::optional<std::string>* value, absl::string_view help) {
  Option(
      flags, name, [value](const std::string& text) { *value = text; }, help);
}

void Command::Option(absl::string_view flags, absl::string_view name, std::optional<int64_t>* value,
                     absl::string_view help) {
  Option(
      flags, name, [value](int64_t number) { *value = number; }, help);
}

void Command::Option(absl::string_view flags, absl::string_view name,
                     std::function<void(const std::string&)> take, absl::string_view help) {
  AddConverted(*impl_->app, flags, name, help, std::move(take), "a text",
               [](const std::string& text) { return std::optional<std::string>(text); });
}

void Command::Option(absl::string_view flags, absl::string_view name,
                     std::function<void(int64_t)> take, absl::string_view help) {
  AddConverted(*impl_->app, flags, name, help, std::move(take), "a whole number", ToInt);
}

void Command::Option(absl::string_view flags, absl::string_view name,
                     std::vector<std::string>* values, absl::string_view help) {
  impl_->app->add_option(std::string(flags), *values, std::string(help))
      ->type_name(std::string(name))
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Command::Option(absl::string_view flags, absl::string_view name,
                     std::optional<absl::Duration>* value, absl::string_view help) {
  AddConverted(
      *impl_->app, flags, name, help, [value](absl::Duration duration) { *value = duration; },
      "a duration: write 90s, 10m or 1h30m", ToDuration);
}

void Command::Choice(absl::string_view flags, std::vector<std::string> choices, std::string* value,
                     absl::string_view help) {
  const std::string list = absl::StrJoin(choices, "|");
  CLI::Option* option =
      impl_->app->add_option(std::string(flags), *value, std::string(help))->type_name(list);
  impl_->choices[option] = choices;
  option->check([choices = std::move(choices), list](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string();
    return absl::StrCat("\"", text, "\" is not one of ", list, DidYouMean(text, choices));
  });
}

void Command::Flag(absl::string_view flags, bool* value, absl::string_view help) {
  impl_->app->add_flag(std::string(flags), *value, std::string(help));
}

namespace {

void DescribeArgument(const CLI::Option& option, command::v1::Argument& argument) {
  argument.set_name(option.get_name(/*positional=*/true));
  argument.set_help(option.get_description());
  argument.set_required(option.get_required());
  argument.set_repeated(option.get_items_expected_max() > 1);
}

void DescribeOption(const CLI::Option& option, command::v1::Option& described) {
  if (!option.get_snames().empty()) {
    described.set_short_name(absl::StrCat("-", option.get_snames().front()));
  }
  if (!option.get_lnames().empty()) {
    described.set_long_name(absl::StrCat("--", option.get_lnames().front()));
  }
  // A flag has room for no value.
  if (option.get_items_expected_max() > 0) described.set_value(option.get_type_name());
  described.set_help(option.get_description());
  described.set_repeated(option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

command::v1::Command Command::Describe() const {
  const Impl& impl = *impl_;
  command::v1::Command described;
  described.set_name(impl.app->get_name());
  described.set_path(impl.path);
  described.set_help(impl.app->get_description());
  described.set_runs(impl.action != nullptr);
  for (const std::string& line : impl.notes) described.add_notes(line);
  for (const std::string& line : impl.Examples()) described.add_examples(line);
  const bool is_program = impl.owned != nullptr;
  for (const ExitMeaning& one : kExitMeanings) {
    if (!is_program) break;
    command::v1::ExitStatus& status = *described.add_exit_statuses();
    status.set_status(one.status);
    status.set_meaning(std::string(one.meaning));
  }
  for (const CLI::Option* option : const_cast<const CLI::App*>(impl.app)->get_options()) {
    if (option == impl.app->get_help_ptr() && !is_program) continue;  // every word has it
    if (option->get_positional()) {
      DescribeArgument(*option, *described.add_arguments());
      continue;
    }
    command::v1::Option& own = *described.add_options();
    DescribeOption(*option, own);
    const auto choices = impl.choices.find(option);
    if (choices == impl.choices.end()) continue;
    for (const std::string& choice : choices->second) own.add_choices(choice);
  }
  for (const auto& sub : impl.subs) {
    if (!sub->impl_->hidden) *described.add_commands() = sub->Describe();
  }
  return described;
}

CommandLine::CommandLine(absl::string_view program, absl::string_view version,
                         absl::string_view help)
    : program_(program) {
  auto app = std::make_unique<CLI::App>(std::string(help), program_);
  app->set_version_flag("--version", absl::StrCat(program, " ", version));
  auto impl = std::make_unique<Command::Impl>(app.get(), program_);
  impl->owned = std::move(app);
  root_.reset(new Command(std::move(impl)));
}

CommandLine::~CommandLine() = default;

namespace {

// "pinion pin set" of the command that was being read when the line turned out wrong.
std::string CommandWords(const CLI::App& app, const std::string& program) {
  std::string words = program;
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    absl::StrAppend(&words, " ", at->get_name());
  }
  return words;
}

// The first word that names no command, where one was expected. Words that a command does not take
// fall through to the program.
std::string UnknownWord(const CLI::App& program) {
  for (const std::string& word : program.remaining(true)) {
    if (!word.empty() && word[0] != '-') return word;
  }
  return "";
}

// Whether what could not be read begins with a word, and not with an option.
bool BeginsWithWord(const CLI::App& program) {
  const std::vector<std::string> rest = program.remaining(true);
  return !rest.empty() && !rest[0].empty() && rest[0][0] != '-';
}

// What is wrong with the words behind a complete command.
std::string LeafProblem(const CLI::App& program, const CLI::App& leaf,
                        const CLI::ParseError& error) {
  const auto extras = static_cast<int>(CLI::ExitCodes::ExtrasError);
  if (error.get_exit_code() != extras) return error.what();
  std::vector<std::string> options;
  for (const CLI::App* app : {&leaf, &program}) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
  }
  for (const std::string& word : program.remaining(true)) {
    if (word.size() < 2 || word[0] != '-') continue;
    const std::string option = word.substr(0, word.find('='));
    return absl::StrCat("no option ", option, DidYouMean(option, options));
  }
  return absl::StrCat("one word too many: ", absl::StrJoin(program.remaining(true), " "));
}

}  // namespace

CommandLine::Chosen CommandLine::Parse(const std::vector<std::string>& args, std::ostream& out,
                                       std::ostream& err) {
  CLI::App& app = *root_->impl_->app;
  const auto usage = [&](const std::string& problem) {
    err << program_ << ": " << problem << "\nsee: " << CommandWords(app, program_) << " --help\n";
    return Chosen{.action = nullptr, .exit_status = kExitUsage};
  };
  try {
    root_->impl_->WriteFooters();
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    out << app.help();
    return {};
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << "\n";
    return {};
  } catch (const CLI::ParseError& error) {
    const Command::Impl& leaf = root_->impl_->Leaf();
    if (leaf.subs.empty() || (leaf.action != nullptr && !BeginsWithWord(app))) {
      return usage(LeafProblem(app, *leaf.app, error));
    }
    const std::vector<std::string> words = leaf.SubWords();
    const std::string unknown = UnknownWord(app);
    const std::string known = absl::StrJoin(words, ", ");
    if (unknown.empty()) return usage(absl::StrCat("say which: ", known));
    return usage(absl::StrCat("no command \"", unknown, "\"", DidYouMean(unknown, words),
                              "; there are: ", known));
  }
  return {.action = root_->impl_->Leaf().action, .exit_status = kExitOk};
}

}  // namespace pinion::cli
