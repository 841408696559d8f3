#include "clients/cli/completion.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace pinion::cli {
namespace {

using command::v1::Command;
using command::v1::Option;
using Named = Completion::Named;

// Arguments and the values of options are named after what they are.
Named NamedBy(absl::string_view name) {
  struct Row {
    absl::string_view name;
    Named named;
  };
  static constexpr Row kRows[] = {
      {"FILE", Named::kFile},
      {"PATH", Named::kFile},
      {"OLD", Named::kFile},
      {"NEW", Named::kFile},
      {"DIRECTORY", Named::kDirectory},
      {"SERVICE", Named::kService},
      {"VERSION", Named::kVersion},
      {"CHANNEL", Named::kChannel},
      {"CONSUMER", Named::kConsumer},
      {"CONTEXT", Named::kContext},
  };
  for (const Row& row : kRows) {
    if (row.name == name) return row.named;
  }
  return Named::kNothing;
}

// Reads the line up to the word that is being typed.
class Line {
 public:
  explicit Line(const Command& program) : program_(program), at_(&program) {}

  void Read(const std::string& word) {
    if (open_ != nullptr) {
      TakeValue(*std::exchange(open_, nullptr), word);
    } else if (!only_values_ && word == "--") {
      only_values_ = true;
    } else if (!only_values_ && word.size() > 1 && word[0] == '-') {
      ReadOption(word);
    } else if (const Command* below = values_.empty() ? Below(word) : nullptr) {
      at_ = below;
    } else {
      TakeArgument(word);
    }
  }

  void Finish(const std::string& typed, Completion& completion) {
    completion.said = said_;
    completion.context = context_;
    completion.service = service_;
    completion.typed = typed;
    const size_t equals = typed.find('=');
    if (open_ != nullptr) {
      OfValue(*open_, completion);
    } else if (only_values_ || typed.empty() || typed[0] != '-') {
      OfArgument(completion);
    } else if (equals == typed.npos) {
      OfOptions(completion);
    } else if (const Option* option = Find(typed.substr(0, equals))) {
      completion.before = typed.substr(0, equals + 1);
      completion.typed = typed.substr(equals + 1);
      OfValue(*option, completion);
    }
  }

 private:
  const Command* Below(absl::string_view word) const {
    for (const Command& one : at_->commands()) {
      if (one.name() == word) return &one;
    }
    return nullptr;
  }

  const Option* Find(absl::string_view name) const {
    for (const Command* command : {at_, &program_}) {
      for (const Option& option : command->options()) {
        if (option.long_name() == name || option.short_name() == name) return &option;
      }
    }
    return nullptr;
  }

  void ReadOption(const std::string& word) {
    const size_t equals = word.find('=');
    const Option* option = Find(word.substr(0, equals));
    if (option == nullptr || option->value().empty()) return;
    if (equals == word.npos) {
      open_ = option;
    } else {
      TakeValue(*option, word.substr(equals + 1));
    }
  }

  void TakeValue(const Option& option, const std::string& value) {
    if (option.value() == "SERVICE") service_ = value;
    if (option.long_name() == "--context") context_ = value;
    const std::string name =
        absl::StrReplaceAll(absl::StripPrefix(option.long_name(), "--"), {{"-", "_"}});
    const auto* field = command::v1::Context::descriptor()->FindFieldByName(name);
    if (field != nullptr) said_.GetReflection()->SetString(&said_, field, value);
  }

  void TakeArgument(const std::string& word) {
    const int index = static_cast<int>(values_.size());
    if (index < at_->arguments_size() && at_->arguments(index).name() == "SERVICE") {
      service_ = word;
    }
    values_.push_back(word);
  }

  static void Offer(const std::string& word, const std::string& help, Completion& completion) {
    if (absl::StartsWith(word, completion.typed)) {
      completion.words.push_back({absl::StrCat(completion.before, word), help});
    }
  }

  static void OfValue(const Option& option, Completion& completion) {
    for (const std::string& choice : option.choices()) Offer(choice, "", completion);
    completion.named = NamedBy(option.value());
  }

  void OfOptions(Completion& completion) const {
    for (const Command* command : {at_, &program_}) {
      for (const Option& option : command->options()) {
        Offer(option.long_name(), option.help(), completion);
      }
      if (at_ == &program_) break;
    }
    if (at_ != &program_) Offer("--help", "", completion);
  }

  void OfArgument(Completion& completion) const {
    if (values_.empty() && !only_values_) {
      for (const Command& below : at_->commands()) Offer(below.name(), below.help(), completion);
    }
    const int count = at_->arguments_size();
    if (count == 0) return;
    const int index = std::min(static_cast<int>(values_.size()), count - 1);
    const bool there_is_room =
        static_cast<int>(values_.size()) < count || at_->arguments(index).repeated();
    if (there_is_room) completion.named = NamedBy(at_->arguments(index).name());
  }

  const Command& program_;
  const Command* at_;
  const Option* open_ = nullptr;  // whose value comes next
  bool only_values_ = false;      // behind "--"
  std::vector<std::string> values_;
  std::string service_;
  command::v1::Context said_;
  std::optional<std::string> context_;
};

}  // namespace

Completion Complete(const command::v1::Command& program, const std::vector<std::string>& words) {
  Completion completion;
  if (words.empty()) return completion;
  Line line(program);
  for (size_t i = 0; i + 1 < words.size(); ++i) line.Read(words[i]);
  line.Finish(words.back(), completion);
  return completion;
}

}  // namespace pinion::cli
