// The thread that registers and renews, and the end of a server.
#include "pinion/client/registration.h"

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/client_context.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "pinion/client/refusal.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "src/address.h"

namespace pinion::client {
namespace {

using google::protobuf::FileDescriptor;
using registry::v1::Registry;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kCallTimeout{10'000};
constexpr milliseconds kFarewellTimeout{3'000};
constexpr milliseconds kRetryDelay{1'000};
constexpr int kRenewalsPerLease = 3;
// A renewal may take a quarter of the lease, so that two that hang leave time for a third.
constexpr int kRenewalTimeoutsPerLease = 4;

// Whether another try can succeed although nothing is changed here.
bool MayPass(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return true;
    default:
      return false;
  }
}

// Each file after its imports.
void AddFile(const FileDescriptor& file, std::set<std::string>& seen,
             google::protobuf::FileDescriptorSet& set) {
  if (!seen.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), seen, set);
  google::protobuf::FileDescriptorProto& added = *set.add_file();
  file.CopyTo(&added);
  file.CopyJsonNameTo(&added);
}

// Of these services, which are linked into the program. InvalidArgument: one is not.
grpc::Status MakeDescriptorSet(const std::vector<std::string>& grpc_services, std::string& made) {
  google::protobuf::FileDescriptorSet set;
  std::set<std::string> seen;
  for (const std::string& name : grpc_services) {
    const auto* pool = google::protobuf::DescriptorPool::generated_pool();
    const auto* service = pool->FindServiceByName(name);
    if (service == nullptr) {
      return {grpc::StatusCode::INVALID_ARGUMENT,
              "no descriptor of " + name + " is linked into this program"};
    }
    AddFile(*service->file(), seen, set);
  }
  made = set.SerializeAsString();
  return grpc::Status::OK;
}

}  // namespace

// Its thread registers and renews; what it shares with callers is guarded by mutex_.
class Registration::Impl {
 public:
  Impl(grpc::Server& server, const std::shared_ptr<grpc::Channel>& channel,
       ServerDescription description);

  grpc::Status Wait();
  void Shutdown();

 private:
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (Registry::Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                    milliseconds timeout, const Request& request, Response& response);
  grpc::Status MakeRequest();
  grpc::Status MakeVersion();
  void Keep();
  grpc::Status Publish();
  grpc::Status RenewOrRegister();
  void Report(const grpc::Status& status);
  void Log(const std::string& line) const;
  void SetServing(bool serving);
  // Ends Wait().
  void End(const grpc::Status& refused);

  grpc::Server& server_;
  const std::shared_ptr<grpc::Channel> channel_;
  const ServerDescription description_;
  const std::unique_ptr<Registry::Stub> registry_;
  registry::v1::RegisterInstanceRequest request_;
  // Of the thread; none: there is nothing to publish, or it is done.
  std::optional<registry::v1::PublishVersionRequest> to_publish_;
  std::string uid_;         // empty: not registered. Of the thread, and of Shutdown() after it
  bool known_ = false;      // registered once
  std::string last_error_;  // what was logged last, so that an outage is one line

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  grpc::Status refused_;
  std::once_flag shut_down_;
  std::thread thread_;
};

Registration::Impl::Impl(grpc::Server& server, const std::shared_ptr<grpc::Channel>& channel,
                         ServerDescription description)
    : server_(server),
      channel_(channel),
      description_(std::move(description)),
      registry_(Registry::NewStub(channel)) {
  grpc::Status status = MakeRequest();
  if (status.ok() && description_.publish) status = MakeVersion();
  if (!status.ok()) {
    End(status);
    return;
  }
  SetServing(true);
  thread_ = std::thread(&Impl::Keep, this);
}

grpc::Status Registration::Impl::MakeRequest() {
  auto& instance = *request_.mutable_instance();
  instance.set_service(description_.service);
  instance.set_version(description_.version);
  instance.set_tls_name(description_.tls_name);
  instance.set_weight(description_.weight);
  instance.set_zone(description_.zone);
  request_.set_owner(description_.owner);
  const int64_t lease = description_.lease.count();
  request_.mutable_lease_ttl()->set_seconds(lease / 1000);
  request_.mutable_lease_ttl()->set_nanos(static_cast<int32_t>(lease % 1000) * 1'000'000);
  const std::string problem = ParseAddress(description_.address, *instance.mutable_address());
  if (problem.empty()) return grpc::Status::OK;
  return {grpc::StatusCode::INVALID_ARGUMENT, problem};
}

template <typename Request, typename Response>
grpc::Status Registration::Impl::Call(
    grpc::Status (Registry::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
    milliseconds timeout, const Request& request, Response& response) {
  grpc::ClientContext context;
  // style: allow clock, gRPC takes a deadline of this clock
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  if (!description_.actor.empty()) context.AddMetadata("pinion-actor", description_.actor);
  return (registry_.get()->*method)(&context, request, &response);
}

grpc::Status Registration::Impl::MakeVersion() {
  registry::v1::PublishVersionRequest& request = to_publish_.emplace();
  request.set_service(description_.service);
  request.set_name(description_.version);
  request.set_notes(description_.notes);
  request.set_owner(description_.owner);
  for (const std::string& name : description_.grpc_services) request.add_grpc_services(name);
  return MakeDescriptorSet(description_.grpc_services, *request.mutable_descriptor_set());
}

grpc::Status Registration::Impl::Publish() {
  if (!to_publish_) return grpc::Status::OK;
  registry::v1::PublishVersionResponse response;
  const grpc::Status status =
      Call(&Registry::Stub::PublishVersion, kCallTimeout, *to_publish_, response);
  if (status.ok()) to_publish_.reset();
  return status;
}

void Registration::Impl::Keep() {
  steady_clock::time_point due;  // at once
  std::unique_lock lock(mutex_);
  while (!changed_.wait_until(lock, due, [this] { return ended_; })) {
    lock.unlock();
    const auto begun = steady_clock::now();  // style: allow clock, leases are real time
    grpc::Status status = Publish();
    if (status.ok()) status = RenewOrRegister();
    if (!status.ok() && !known_ && !MayPass(status)) {
      End(status);
      return;
    }
    known_ = known_ || status.ok();
    Report(status);
    due = begun + (status.ok()
                       ? description_.lease / kRenewalsPerLease
                       : std::min(description_.lease / kRenewalTimeoutsPerLease, kRetryDelay));
    lock.lock();
  }
}

grpc::Status Registration::Impl::RenewOrRegister() {
  if (!uid_.empty()) {
    registry::v1::RenewInstanceRequest request;
    request.set_uid(uid_);
    registry::v1::RenewInstanceResponse response;
    const milliseconds timeout =
        std::min(description_.lease / kRenewalTimeoutsPerLease, kCallTimeout);
    const grpc::Status status = Call(&Registry::Stub::RenewInstance, timeout, request, response);
    if (status.error_code() != grpc::StatusCode::NOT_FOUND) return status;
    uid_.clear();  // the lease has expired, for instance while this machine slept
  }
  registry::v1::RegisterInstanceResponse response;
  const grpc::Status status =
      Call(&Registry::Stub::RegisterInstance, kCallTimeout, request_, response);
  if (!status.ok()) return status;
  uid_ = response.instance().instance().uid();
  if (description_.on_registered) description_.on_registered(uid_);
  return status;
}

void Registration::Impl::Report(const grpc::Status& status) {
  if (status.error_message() == last_error_) return;
  last_error_ = status.error_message();
  if (status.ok()) {
    Log("the registry has this server again, as " + uid_);
  } else if (const auto refusal = ReadRefusal(status)) {
    Log("the registry refuses this server (" + refusal->reason + "); trying again: " + last_error_);
  } else {
    Log("the registry does not answer; trying again: " + last_error_);
  }
}

void Registration::Impl::Log(const std::string& line) const {
  if (description_.log) {
    description_.log(line);
  } else {
    std::cerr << line + "\n";
  }
}

void Registration::Impl::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_.GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus("", serving);
  for (const std::string& name : description_.grpc_services) {
    health->SetServingStatus(name, serving);
  }
}

void Registration::Impl::End(const grpc::Status& refused) {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (refused_.ok()) refused_ = refused;
  }
  changed_.notify_all();
}

grpc::Status Registration::Impl::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_; });
  return refused_;
}

void Registration::Impl::Shutdown() {
  std::call_once(shut_down_, [this] {
    SetServing(false);
    End(grpc::Status::OK);
    if (thread_.joinable()) thread_.join();
    if (!uid_.empty()) {
      registry::v1::DeregisterInstanceRequest request;
      request.set_uid(uid_);
      registry::v1::DeregisterInstanceResponse response;
      const grpc::Status status =
          Call(&Registry::Stub::DeregisterInstance, kFarewellTimeout, request, response);
      if (!status.ok()) {
        Log("could not deregister; the lease ends by itself: " + status.error_message());
      }
    }
    // style: allow clock, gRPC takes a deadline of this clock
    server_.Shutdown(std::chrono::system_clock::now() + description_.drain);
  });
}

void EnableHealthAndReflection() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
}

Registration::Registration(grpc::Server& server, std::shared_ptr<grpc::Channel> registry,
                           ServerDescription description)
    : impl_(std::make_unique<Impl>(server, registry, std::move(description))) {}

Registration::~Registration() { Shutdown(); }

grpc::Status Registration::Wait() { return impl_->Wait(); }

void Registration::Shutdown() { impl_->Shutdown(); }

}  // namespace pinion::client
