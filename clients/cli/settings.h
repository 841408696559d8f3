// What a run goes by: which registry, how to come to it, and who asks. Pure; any thread.
//
// What is said nearest counts, value by value:
//
//   an option on the line  >  the context that --context names  >  a variable
//     >  the context of PINION_CONTEXT, or the one in use  >  the default
//
// A registry that is named nearer than the context leaves the whole context out, so that no token
// goes where it was not meant to go; --context and --registry on one line go together.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dial/credentials.h"
#include "pinion/command/v1/context.pb.h"

namespace pinion::cli {

// Where `pinion serve` listens, and every command looks, unless told otherwise.
inline constexpr char kDefaultRegistryAddress[] = "127.0.0.1:8081";

// Nullopt: not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

struct Settings {
  std::string context;                 // the name of the one that counts; empty: none
  std::vector<std::string> addresses;  // of the registry's replicas; at least one
  dial::Credentials credentials;
  std::string actor;  // empty: nobody has said
};

// What was said, and where.
struct Sayings {
  command::v1::Context flags;
  std::optional<std::string> context_flag;  // ""; none at all
  command::v1::Context variables;
  std::string context_variable;
  std::string token;  // itself, from a variable
};

// The variables: PINION_REGISTRY, PINION_ACTOR, PINION_TOKEN, PINION_CONTEXT …; an empty one counts
// as not set.
Sayings ReadVariables(const Environment& environment);

// A usage error: there is no such context. That addresses can be meant, and files can be read, is
// not checked.
absl::StatusOr<Settings> Resolve(const Sayings& sayings, const command::v1::Contexts& contexts);

// The addresses in a text with commas between; "/run/x.sock" is meant as "unix:/run/x.sock".
std::vector<std::string> SplitAddresses(const std::string& text);

// The context of this name. A usage error that names those that there are.
absl::StatusOr<command::v1::Context> FindContext(const command::v1::Contexts& contexts,
                                                 const std::string& name);

}  // namespace pinion::cli
