// The program: wires everything and does nothing else.
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/commands.h"
#include "clients/cli/flags.h"
#include "clients/cli/invocation.h"
#include "clients/cli/stop_signals.h"
#include "pinion/server_commands.h"

namespace {

std::optional<std::string> Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC's own log repeats what this program says in sentences. Whoever needs it sets the variable.
  constexpr int kKeepWhatIsSet = 0;
  setenv("GRPC_VERBOSITY", "NONE", kKeepWhatIsSet);
  std::optional<pinion::cli::StopSignals> stop;
  pinion::cli::Invocation run({.out = std::cout,
                               .err = std::cerr,
                               .environment = Environment,
                               .program_version = PINION_VERSION,
                               .wait_for_stop =
                                   [&stop](absl::Duration timeout) {
                                     if (!stop) stop.emplace();
                                     return stop->Wait(timeout);
                                   },
                               .on_reload =
                                   [&stop](std::function<void(pinion::cli::Reload)> reload) {
                                     if (!stop) stop.emplace();
                                     stop->OnReload(std::move(reload));
                                   },
                               .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                               .err_is_terminal = isatty(STDERR_FILENO) == 1});
  pinion::cli::CommandLine line(
      "pinion", PINION_VERSION,
      "A gRPC gateway with a registry of API versions: every consumer pins the version it was "
      "written against, and each of its calls goes there.");
  line.root().Examples(
      "Each word says more of itself when --help stands behind it.\n"
      "Exit status: 0 done, or yes; 1 not done, or no; 2 the line cannot be meant: man pinion.\n"
      "  pinion serve\n"
      "  pinion version publish addressbook 1.0.0 --descriptor-set v1.binpb\n"
      "  pinion pin set billing addressbook '^1'\n"
      "  pinion doctor");
  run.AddFlags(line.root());
  pinion::AddServerCommands(line.root(), run);
  pinion::cli::AddCommands(line.root(), run);
  const auto chosen =
      line.Parse(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
  return chosen.action ? run.Finish(chosen.action) : chosen.exit_status;
}
