// An instance as the registry's checks see it: a real gRPC server whose health and reflection are
// what a test says, also out of spite; a call of any other method is answered with an empty
// message. Thread-safe, but for Restart().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "google/protobuf/descriptor.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace grpc {
class ServerCredentials;
}

namespace pinion::testing {

struct ProbedBehaviour {
  enum class Spite {
    kNone,
    kSilent,   // takes requests of reflection, and says nothing
    kEndless,  // each file imports another one
    kHuge,     // files of a megabyte each, without end
    kGarbage,  // bytes that are no file
  };
  using Health = grpc::health::v1::HealthCheckResponse;

  bool has_health = true;
  // By gRPC service, "" for the whole server; others are not known.
  std::map<std::string, Health::ServingStatus> health = {{"", Health::SERVING}};
  // Shown by reflection; nullopt: there is no reflection.
  std::optional<google::protobuf::FileDescriptorSet> schema;
  bool only_v1alpha = false;
  bool one_file_at_a_time = false;  // imports must be asked for
  Spite spite = Spite::kNone;
};

class ProbedServer {
 public:
  // On a free port of 127.0.0.1; null credentials: without TLS.
  explicit ProbedServer(ProbedBehaviour behaviour,
                        std::shared_ptr<grpc::ServerCredentials> credentials = nullptr);
  ~ProbedServer();

  void Behave(ProbedBehaviour behaviour);
  int port() const;
  routing::v1::Address address() const;
  // Questions of either kind so far.
  int health_checks() const;
  int schema_questions() const;
  int other_calls() const;

  // Ends it, and starts another one at its port, which counts from 0.
  void Restart(ProbedBehaviour behaviour);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::testing
