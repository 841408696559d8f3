// For tests: a registry that says what the test tells it to.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/watch/watch_messages.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"

namespace pinion::watch {

using registry::v1::WatchRequest;
using registry::v1::WatchResponse;

inline constexpr absl::Duration kPatience = absl::Seconds(20);

// What one side puts in and the other waits for.
template <typename T>
class Queue {
 public:
  void Put(T value) {
    absl::MutexLock lock(&mutex_);
    values_.push_back(std::move(value));
  }
  std::optional<T> Take(absl::Duration timeout = kPatience) {
    absl::MutexLock lock(&mutex_);
    const auto some = [this] { return !values_.empty(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&some), timeout)) return std::nullopt;
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  absl::Mutex mutex_;
  std::deque<T> values_;
};

// Schemas are the text "schema of SERVICE VERSION"; the first request fails. Versions have the
// digests that the registry first says.
class FakeSchemas final : public registry::v1::Registry::Service {
 public:
  grpc::Status GetVersionSchema(grpc::ServerContext*,
                                const registry::v1::GetVersionSchemaRequest* request,
                                registry::v1::GetVersionSchemaResponse* response) override {
    if (calls_++ == 0) return {grpc::StatusCode::UNAVAILABLE, "not now"};
    const std::string version = request->service() + " " + request->name();
    response->set_descriptor_set("schema of " + version);
    absl::MutexLock lock(&mutex_);
    response->set_schema_digest(digests_[version]);
    return grpc::Status::OK;
  }
  int calls() const { return calls_; }
  // `version`: "SERVICE VERSION". The first digest counts.
  void Have(const std::string& version, const std::string& digest) {
    absl::MutexLock lock(&mutex_);
    digests_.emplace(version, digest);
  }
  // What the registry says.
  void Hear(const routing::v1::Version& version) {
    if (!version.schema_digest().empty()) {
      Have(version.service() + " " + version.name(), version.schema_digest());
    }
  }

 private:
  std::atomic<int> calls_{0};
  absl::Mutex mutex_;
  std::map<std::string, std::string> digests_;
};

class FakeRegistry final : public registry::v1::RoutingWatch::Service {
 public:
  ~FakeRegistry() override { Stop(); }

  void Start(const std::string& address) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    builder.RegisterService(&schemas_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::time_point::min());
    server_.reset();
  }

  void Say(WatchResponse message) {
    for (const auto& resource : message.snapshot().resources()) schemas_.Hear(resource.version());
    for (const auto& revision : message.changes().revisions()) {
      for (const auto& change : revision.changes()) schemas_.Hear(change.put().version());
    }
    to_say_.Put({std::move(message), std::nullopt});
  }
  void End(grpc::StatusCode code, const std::string& why) {
    to_say_.Put({{}, grpc::Status(code, why)});
  }
  FakeSchemas& schemas() { return schemas_; }
  // The next request that comes in.
  std::string TakeRequest(absl::Duration timeout = kPatience) {
    const std::optional<WatchRequest> request = requests_.Take(timeout);
    return request ? request->ShortDebugString() : "none";
  }

  grpc::Status ProposePins(grpc::ServerContext*, const registry::v1::ProposePinsRequest* request,
                           registry::v1::ProposePinsResponse* response) override {
    if (refuse_proposals) return {grpc::StatusCode::UNAVAILABLE, "not now"};
    proposed.Put(request->ShortDebugString());
    for (int i = 0; i < request->proposals_size(); ++i) {
      response->add_outcomes(registry::v1::ProposePinsResponse::CREATED);
    }
    return grpc::Status::OK;
  }
  grpc::Status ReportGateway(grpc::ServerContext*,
                             const registry::v1::ReportGatewayRequest* request,
                             registry::v1::ReportGatewayResponse* response) override {
    reported.Put(*request);
    return grpc::Status::OK;
  }
  // From now on as a real one answers: to requests that name another registry or a later revision
  // with a refusal, to others that ask for a snapshot with Snapshot(id, revision).
  void Be(std::string id, int64_t revision) {
    absl::MutexLock lock(&origin_mutex_);
    origin_ = {std::move(id), revision};
  }
  Queue<registry::v1::ReportGatewayRequest> reported;
  Queue<std::string> proposed;
  std::atomic<bool> refuse_proposals{false};

  grpc::Status Watch(grpc::ServerContext* context, const WatchRequest* request,
                     grpc::ServerWriter<WatchResponse>* writer) override {
    if (const grpc::Status status = CheckOrigin(*request); !status.ok()) return status;
    const int mine = ++calls_;
    absl::MutexLock lock(&speaking_);  // those before have left
    requests_.Put(*request);
    if (request->from_revision() == 0) Introduce(writer);
    while (!context->IsCancelled() && mine == calls_) {
      auto next = to_say_.Take(absl::Milliseconds(10));
      if (!next) continue;
      if (next->second) return *next->second;
      writer->Write(next->first);
    }
    return grpc::Status::CANCELLED;
  }

 private:
  void Introduce(grpc::ServerWriter<WatchResponse>* writer) {
    absl::MutexLock lock(&origin_mutex_);
    if (!origin_.first.empty()) writer->Write(Snapshot(origin_.first, origin_.second));
  }
  grpc::Status CheckOrigin(const WatchRequest& request) {
    absl::MutexLock lock(&origin_mutex_);
    if (origin_.first.empty()) return grpc::Status::OK;
    google::rpc::ErrorInfo info;
    (*info.mutable_metadata())["registry_id"] = origin_.first;
    (*info.mutable_metadata())["revision"] = absl::StrCat(origin_.second);
    if (!request.registry_id().empty() && request.registry_id() != origin_.first) {
      info.set_reason("REGISTRY_ID_MISMATCH");
    } else if (request.from_revision() > origin_.second) {
      info.set_reason("REVISION_AHEAD");
    } else {
      return grpc::Status::OK;
    }
    google::rpc::Status details;
    details.add_details()->PackFrom(info);
    return {grpc::StatusCode::FAILED_PRECONDITION, info.reason(), details.SerializeAsString()};
  }

  absl::Mutex origin_mutex_;
  std::pair<std::string, int64_t> origin_;  // empty id: any
  Queue<std::pair<WatchResponse, std::optional<grpc::Status>>> to_say_;
  Queue<WatchRequest> requests_;
  FakeSchemas schemas_;
  std::atomic<int> calls_{0};  // the newest one speaks
  absl::Mutex speaking_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pinion::watch
