#include "clients/cli/flags.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest.h"

namespace pinion::cli {
namespace {

constexpr char kUsagePayload[] = "pinion.usage";

// Declares an option whose text `convert` turns into a value; nullopt is what `expected` is not.
template <typename T, typename Convert>
void AddConverted(CLI::App& app, absl::string_view flags, absl::string_view name,
                  absl::string_view help, std::optional<T>* value, const std::string& expected,
                  Convert convert) {
  CLI::Option* option = app.add_option_function<std::string>(
      std::string(flags), [value, convert](const std::string& text) { *value = convert(text); },
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
  explicit Impl(CLI::App* app) : app(app) {}

  std::unique_ptr<CLI::App> owned;  // of the program; CLI11 owns the rest
  CLI::App* app;
  std::vector<std::unique_ptr<Command>> subs;
  Action action;

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
    for (const auto& sub : subs) words.push_back(sub->impl_->app->get_name());
    return words;
  }
};

Command::Command(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Command::~Command() = default;

Command& Command::Sub(absl::string_view word, absl::string_view help) {
  CLI::App* app = impl_->app->add_subcommand(std::string(word), std::string(help));
  app->fallthrough();  // the program's options
  impl_->subs.push_back(
      std::unique_ptr<Command>(new Command(std::make_unique<Impl>(app))));  // private constructor
  impl_->RequireSub();
  return *impl_->subs.back();
}

void Command::Run(Action action) {
  impl_->action = std::move(action);
  impl_->RequireSub();
}

void Command::Examples(absl::string_view text) { impl_->app->footer(std::string(text)); }

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
  AddConverted(*impl_->app, flags, name, help, value, "a text",
               [](const std::string& text) { return std::optional<std::string>(text); });
}

void Command::Option(absl::string_view flags, absl::string_view name, std::optional<int64_t>* value,
                     absl::string_view help) {
  AddConverted(*impl_->app, flags, name, help, value, "a whole number", ToInt);
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
  AddConverted(*impl_->app, flags, name, help, value, "a duration: write 90s, 10m or 1h30m",
               ToDuration);
}

void Command::Choice(absl::string_view flags, std::vector<std::string> choices, std::string* value,
                     absl::string_view help) {
  const std::string list = absl::StrJoin(choices, "|");
  impl_->app->add_option(std::string(flags), *value, std::string(help))
      ->type_name(list)
      ->check([choices = std::move(choices), list](const std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string();
        return absl::StrCat("\"", text, "\" is not one of ", list, DidYouMean(text, choices));
      });
}

void Command::Flag(absl::string_view flags, bool* value, absl::string_view help) {
  impl_->app->add_flag(std::string(flags), *value, std::string(help));
}

CommandLine::CommandLine(absl::string_view program, absl::string_view version,
                         absl::string_view help)
    : program_(program) {
  auto app = std::make_unique<CLI::App>(std::string(help), program_);
  app->set_version_flag("--version", absl::StrCat(program, " ", version));
  auto impl = std::make_unique<Command::Impl>(app.get());
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
