// What a client shows to a registry, and how it knows that it is the right one. Plain values, for
// those who do not see gRPC.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pinion::dial {

struct Credentials {
  bool tls = false;
  // PEM files, read again when they change.
  std::string trusted_ca;  // who signs the registry's certificate; empty: whom the system trusts
  std::string certificate_chain;  // the client's own; empty: none
  std::string private_key;
  std::string tls_name;  // in the registry's certificate; empty: the host of the address
  // A token of the registry, or a JWT: the text, or the file that it is read from for each call.
  std::string token;
  std::string token_file;
};

// Whether a connection to `address` ("host:8081", "unix:/run/pinion.sock") can be tried with them:
// files that cannot be read, a certificate without its key, or a token that others could read on
// the way. Each message says what to do.
absl::Status CheckCredentials(const std::string& address, const Credentials& credentials);

// The file's text without white space around it. InvalidArgument: it cannot be read, or holds no
// token.
absl::StatusOr<std::string> ReadTokenFile(const std::string& path);

}  // namespace pinion::dial
