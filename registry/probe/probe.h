// What an instance is asked, and what it answers; no word about what follows from that. Values.
// Knows no gRPC type, so that who includes it does not compile gRPC's headers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::probe {

struct Question {
  enum class Schema {
    kNo,
    kIfReconnected,  // if the connection of the last time is gone: another server may be there
    kYes,
  };

  routing::v1::Instance instance;
  // Of its version: whose health is asked for, beside that of the server as a whole, and which the
  // schema is of. None: no schema is asked for.
  std::vector<std::string> grpc_services;
  Schema schema = Schema::kNo;
};

struct Answer {
  // Not OK: nobody answers, or not in time; nothing below is known then. The message says it to
  // people, going on after the instance's name: "does not answer: connection refused".
  absl::Status reached;
  // Whose health is NOT_SERVING, in the same form; empty: it serves, or has no opinion.
  std::string not_serving;
  // By reflection: a whole set that holds what it shows of the services. Nullopt: it was not asked.
  // Unimplemented: it shows nothing; other errors: what it shows cannot be taken. Messages as
  // above.
  std::optional<absl::StatusOr<google::protobuf::FileDescriptorSet>> shown;
};

// Asks one instance and waits for the answer, for a bounded time. Any thread, many at once.
using Ask = std::function<Answer(const Question&)>;

}  // namespace pinion::probe
