// A consumer's connection: calls acme.AddressBook with one schema, directly or through Pinion,
// which sees the consumer's name and, when given, the version asked for in request metadata.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "examples/addressbook/client/schema.h"

namespace addressbook {

struct CallerOptions {
  std::string target;
  std::string consumer;     // metadata api-consumer; none when empty
  std::string api_version;  // metadata api-version; none when empty
  absl::Duration timeout = absl::Seconds(10);
};

struct Answer {
  grpc::Status status;
  std::string api_version;  // response metadata api-version; empty: nobody said
  std::vector<std::unique_ptr<google::protobuf::Message>> messages;
};

// Thread-safe.
class Caller {
 public:
  // `schema` must outlive the caller and its answers.
  Caller(const Schema& schema, CallerOptions options);

  // Calls `method` ("Get") with a request message for each of `requests`, and waits for the end:
  // unary and streaming alike. A method or field that the schema lacks is an INVALID_ARGUMENT that
  // never leaves this program.
  Answer Call(const std::string& method, const std::vector<Fields>& requests) const;

 private:
  const Schema& schema_;
  const CallerOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace addressbook
