// The words that name a pin, the same for every command.
#pragma once

#include "clients/cli/flags.h"

namespace pinion::cli {

// `Key` has a consumer, a service and a method, and lives as long as the program.
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

}  // namespace pinion::cli
