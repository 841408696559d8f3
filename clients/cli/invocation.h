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
#include "clients/cli/flags.h"
#include "clients/cli/registry_client.h"
#include "clients/cli/stop_signals.h"
#include "google/protobuf/message.h"

namespace pinion::cli {

// Where `pinion serve` listens, and every command looks, unless told otherwise.
inline constexpr char kDefaultRegistryAddress[] = "127.0.0.1:8081";

// What a run takes from the outside; tests give their own.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  // Nullopt: not set.
  std::function<std::optional<std::string>(const char* name)> environment;
  // Waits until the user asks the program to stop; false: `timeout` has passed first. Only commands
  // that stay in the foreground call it, first with a zero timeout before anything else.
  std::function<bool(absl::Duration timeout)> wait_for_stop;
  // What to do when the user asks the program to reload, while it waits for a stop. Servers only,
  // before they start a thread.
  std::function<void(std::function<void(Reload)> reload)> on_reload;
};

class Invocation {
 public:
  explicit Invocation(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  // Declares what every command understands: --json, --registry, --timeout, who makes changes, and
  // the credentials that are shown.
  void AddFlags(Command& root);

  // Connects lazily: RPCs fail, never this. REQUIRES: the line is parsed, CheckAddress() is OK.
  RegistryClient& registry();
  // A usage error when --registry (or PINION_REGISTRY) is not an address, or the credentials cannot
  // be used there.
  absl::Status CheckAddress() const;

  // The addresses that --registry names; empty: it was not given.
  std::vector<std::string> registry_flag() const;

  bool json() const { return json_; }
  std::ostream& out() { return surroundings_.out; }
  // For how far something is; results go to out().
  std::ostream& err() { return surroundings_.err; }
  // Who makes a change, as the audit log says it.
  std::string Actor() const;
  bool WaitForStop(absl::Duration timeout) { return surroundings_.wait_for_stop(timeout); }
  void OnReload(std::function<void(Reload)> reload) { surroundings_.on_reload(std::move(reload)); }

  // Prints `message` as proto-JSON with every field, the same for the same contents.
  void PrintJson(const google::protobuf::Message& message);
  // With --json `message`, else `text`.
  void Print(const google::protobuf::Message& message, absl::string_view text);

  // What an action that went well ends with, when that is not kExitOk: it found something.
  void set_exit_status(int status) { exit_status_ = status; }
  // Of a command whose exit status answers a question: one that cannot be answered ends with
  // kExitUsage, since kExitFailed is an answer.
  void set_answers() { answers_ = true; }

  // Runs a parsed line's action and tells what went wrong: the exit status.
  int Finish(const Command::Action& action);

 private:
  // The flag, else the variable; empty: neither.
  std::string FlagOr(const std::string& flag, const char* variable) const;
  std::vector<std::string> Written() const;  // the addresses, with https:// where it was written
  std::vector<std::string> Addresses() const;
  dial::Credentials Credentials() const;
  void PrintError(const absl::Status& status);

  Surroundings surroundings_;
  bool json_ = false;
  int exit_status_ = kExitOk;
  bool answers_ = false;
  std::string addresses_;  // with commas between
  std::string actor_;
  std::optional<absl::Duration> timeout_;
  dial::Credentials flags_;  // as far as there are flags
  std::unique_ptr<RegistryClient> registry_;
};

// Proto-JSON that is the same for the same contents (maps sorted), with fields that have their
// default values. Ends with a newline.
std::string ToJson(const google::protobuf::Message& message);

}  // namespace pinion::cli
