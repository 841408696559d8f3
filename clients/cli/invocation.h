// One run of the program: what the flags of every command say, where to print, and the connection
// to the registry. Owned by main() or a test; one thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/colour.h"
#include "clients/cli/flags.h"
#include "clients/cli/json_text.h"
#include "clients/cli/registry_client.h"
#include "clients/cli/settings.h"
#include "clients/cli/stop_signals.h"
#include "google/protobuf/message.h"

namespace pinion::cli {

// How results are printed: for people, or for programs.
enum class Output { kTable, kJson, kYaml };

// What a run takes from the outside; tests give their own.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  Environment environment;
  std::string program_version = "";
  // Waits until the user asks the program to stop; false: `timeout` has passed first. Only commands
  // that stay in the foreground call it, first with a zero timeout before anything else.
  std::function<bool(absl::Duration timeout)> wait_for_stop;
  // What to do when the user asks the program to reload, while it waits for a stop. Only commands
  // that run until they are stopped call it, before they start a thread.
  std::function<void(std::function<void(Reload)> reload)> on_reload;
  // Whether a person looks at them, who may be shown colours and lines that are written anew.
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

class Invocation {
 public:
  explicit Invocation(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // Declares what every command understands: how to print, which registry, who makes changes, and
  // the credentials that are shown.
  void AddFlags(Command& root);

  // Connects lazily: RPCs fail, never this. They also fail, as usage errors, when what was said of
  // the registry cannot be meant. REQUIRES: the line is parsed.
  RegistryClient& registry();
  // What was said, by the nearest who says it. A usage error: there is no such context, an address
  // is none, or the credentials cannot be used there. REQUIRES: the line is parsed.
  const absl::StatusOr<Settings>& settings();

  // What the line says: the addresses of --registry (empty: not given), and all that a context can
  // hold.
  std::vector<std::string> registry_flag() const;
  const command::v1::Context& flags() const { return sayings_.flags; }
  // What the line would say, for a command that looks at another line.
  void Say(const command::v1::Context& said, const std::optional<std::string>& context);
  // How long a call may take, unless --timeout says so.
  void set_patience(absl::Duration patience) { patience_ = patience; }
  absl::Duration timeout() const { return timeout_.value_or(patience_); }
  const std::string& program_version() const { return surroundings_.program_version; }
  // Where contexts are kept.
  std::string contexts_path() const;
  // Who makes a change, as the audit log says it.
  std::string Actor();

  std::ostream& out() { return surroundings_.out; }
  // For how far something is; results go to out().
  std::ostream& err() { return surroundings_.err; }
  bool err_is_terminal() const { return surroundings_.err_is_terminal; }
  bool WaitForStop(absl::Duration timeout) { return surroundings_.wait_for_stop(timeout); }
  void OnReload(std::function<void(Reload)> reload) { surroundings_.on_reload(std::move(reload)); }

  // Whether results are printed for people, who also want to read what comes next.
  bool for_people() const { return output() == Output::kTable; }
  // `text` for people; for programs `message` as proto-JSON with every field, the same for the same
  // contents, or as YAML.
  void Print(const google::protobuf::Message& message, absl::string_view text);
  // For programs: what no message has as its JSON form.
  void PrintJsonText(const std::string& json);
  // `text` in a colour, where people look at the results and have not asked for none (NO_COLOR).
  std::string Painted(Colour colour, absl::string_view text) const;

  // What an action that went well ends with, when that is not kExitOk: it found something.
  void set_exit_status(int status) { exit_status_ = status; }
  // Of a command whose exit status answers a question: one that cannot be answered ends with
  // kExitUsage, since kExitFailed is an answer.
  void set_answers() { answers_ = true; }

  // Runs a parsed line's action and tells what went wrong: the exit status.
  int Finish(const Command::Action& action);

 private:
  Output output() const;
  absl::Status CheckFlags() const;
  absl::StatusOr<Settings> ReadSettings() const;
  std::string ForPrograms(std::string json) const;
  void PrintError(const absl::Status& status);

  Surroundings surroundings_;
  std::string output_;  // table, json or yaml; empty: not given
  bool json_ = false;
  int exit_status_ = kExitOk;
  bool answers_ = false;
  std::optional<absl::Duration> timeout_;
  absl::Duration patience_ = absl::Seconds(10);
  Sayings sayings_;  // of the line
  std::optional<absl::StatusOr<Settings>> settings_;
  std::unique_ptr<RegistryClient> registry_;
};

}  // namespace pinion::cli
