// The words that many commands share, the same for each: what names an object, and what goes with a
// change. `Request` is a message with these fields, and lives as long as the program.
#pragma once

#include "absl/strings/str_cat.h"
#include "clients/cli/flags.h"

namespace pinion::cli {

// CONSUMER SERVICE, of pins.
template <typename Key>
void DeclareKey(Command& command, Key& key) {
  command.Argument("CONSUMER", key.mutable_consumer(), "Whose calls");
  command.Argument("SERVICE", key.mutable_service(), "Calls to which service");
}

template <typename Key>
void DeclareMethod(Command& command, Key& key) {
  command.Option("--method", "/PKG.SERVICE/METHOD", key.mutable_method(),
                 "Only calls of this method; else the whole service");
}

// SERVICE VERSION.
template <typename Request>
void DeclareVersion(Command& command, Request& request) {
  command.Argument("SERVICE", request.mutable_service(), "Name of the service");
  command.Argument("VERSION", request.mutable_name(), "Name of the version");
}

// SERVICE CHANNEL.
template <typename Request>
void DeclareChannel(Command& command, Request& request) {
  command.Argument("SERVICE", request.mutable_service(), "Name of the service");
  command.Argument("CHANNEL", request.mutable_name(), "Name of the channel, without @");
}

template <typename Request>
void DeclareReason(Command& command, Request& request,
                   absl::string_view help = "For the audit log") {
  command.Option("--reason", "TEXT", request.mutable_reason(), help);
}

// `what`: "the pin"; `creates`: the change may also make it.
enum class Creates { kNo, kYes };
template <typename Request>
void DeclareExpectedRevision(Command& command, Request& request, absl::string_view what,
                             Creates creates = Creates::kNo) {
  command.Option(
      "--expected-revision", "REVISION",
      [&request](int64_t revision) { request.set_expected_revision(revision); },
      absl::StrCat("Refuse if ", what, " was changed since",
                   creates == Creates::kYes ? "; 0: refuse if there is one" : ""));
}

}  // namespace pinion::cli
