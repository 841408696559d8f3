// What `pinion serve` and `pinion registry` run with where neither file nor flag says otherwise.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion {

struct ServeFlags {
  std::string config;    // file; empty: none
  std::string store;     // path of the SQLite file
  std::string listen;    // of the only listener
  std::string registry;  // where the registry listens
};

// The file's configuration completed: a store at ./pinion-data/registry.db, the registry at
// 127.0.0.1:8081; and with `gateway` a listener at 127.0.0.1:8080 that takes the caller's name from
// `api-consumer`, and without a file the admin port at 127.0.0.1:8082.
absl::StatusOr<config::v1::Bootstrap> ServeBootstrap(const ServeFlags& flags, bool gateway);

}  // namespace pinion
