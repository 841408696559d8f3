#include "registry/probe/instance_probe.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <list>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/read_file.h"
#include "base/status_macros.h"
#include "registry/model/address.h"
#include "registry/probe/contact.h"
#include "registry/probe/health_client.h"
#include "registry/probe/reflection_client.h"
#include "registry/schema/schema.h"

namespace pinion::probe {
namespace {

// One answer of reflection may be a whole schema.
constexpr int kMaxMessageBytes = static_cast<int>(schema::kMaxDescriptorSetBytes) + (1 << 20);

// A bundle of all CAs of a system is 0.25 MiB.
constexpr size_t kMaxPemBytes = 4 * 1024 * 1024;

// What a connection leads to: one that was kept is used for the same only.
struct Connection {
  std::string uid;
  std::string target;
  std::string tls_name;
  std::shared_ptr<grpc::Channel> channel;
};

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  if (path.empty()) return "";
  absl::StatusOr<std::string> text = ReadFile(path, kMaxPemBytes);
  if (text.ok()) return text;
  return absl::FailedPreconditionError(
      absl::StrCat("cannot be asked over TLS: the registry cannot read ", path));
}

// Those that name the service, else those that name none; nullptr: none.
const TlsFiles* FilesFor(const std::vector<TlsFiles>& all, const std::string& service) {
  const TlsFiles* general = nullptr;
  for (const TlsFiles& files : all) {
    if (files.services.empty()) general = &files;
    if (std::count(files.services.begin(), files.services.end(), service) > 0) return &files;
  }
  return general;
}

}  // namespace

class InstanceProbe::Impl {
 public:
  explicit Impl(ProbeOptions options) : options_(std::move(options)) {}

  Answer Ask(const Question& question) {
    Answer answer;
    Connection connection;
    bool reconnected = false;
    if (auto kept = Take(question.instance)) {
      connection = *std::move(kept);
      reconnected = connection.channel->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY;
    } else if (absl::StatusOr<Connection> made = Connect(question.instance); made.ok()) {
      connection = *std::move(made);
    } else {
      answer.reached = made.status();
      return answer;
    }
    const Contact contact{connection.channel, SystemClock().Wall() + options_.timeout, running_};
    const absl::StatusOr<std::string> health = AskHealth(contact, question.grpc_services);
    answer.reached = health.status();
    // One that failed is not kept: gRPC would wait before it connects again.
    if (!health.ok()) return answer;
    answer.not_serving = *health;
    const bool asks = question.schema == Question::Schema::kYes ||
                      (question.schema == Question::Schema::kIfReconnected && reconnected);
    if (asks && !question.grpc_services.empty()) {
      answer.shown = AskSchema(contact, question.grpc_services);
    }
    Keep(std::move(connection));
    return answer;
  }

  void Stop() { running_.CancelAll(); }

 private:
  absl::StatusOr<Connection> Connect(const routing::v1::Instance& instance) {
    Connection connection{.uid = instance.uid(),
                          .target = GrpcTarget(model::AddressText(instance.address())),
                          .tls_name = instance.tls_name()};
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (!instance.tls_name().empty()) {
      ASSIGN_OR_RETURN(credentials, TlsCredentials(instance.service()));
      // Its SNI, and the name that its certificate must show.
      arguments.SetSslTargetNameOverride(instance.tls_name());
    }
    connection.channel = grpc::CreateCustomChannel(connection.target, credentials, arguments);
    return connection;
  }

  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsCredentials(
      const std::string& service) const {
    grpc::SslCredentialsOptions ssl;
    if (const TlsFiles* files = FilesFor(options_.tls, service)) {
      ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadPem(files->trusted_ca));
      ASSIGN_OR_RETURN(ssl.pem_cert_chain, ReadPem(files->certificate_chain));
      ASSIGN_OR_RETURN(ssl.pem_private_key, ReadPem(files->private_key));
    }
    return grpc::SslCredentials(ssl);
  }

  // The connection that was kept to exactly this instance, and is nobody else's meanwhile.
  std::optional<Connection> Take(const routing::v1::Instance& instance) {
    MutexLock lock(&mutex_);
    const auto it = std::find_if(kept_.begin(), kept_.end(), [&instance](const Connection& one) {
      return one.uid == instance.uid();
    });
    if (it == kept_.end()) return std::nullopt;
    Connection taken = std::move(*it);
    kept_.erase(it);
    if (taken.target != GrpcTarget(model::AddressText(instance.address())) ||
        taken.tls_name != instance.tls_name()) {
      return std::nullopt;
    }
    return taken;
  }

  void Keep(Connection connection) {
    MutexLock lock(&mutex_);
    kept_.push_front(std::move(connection));
    if (kept_.size() > options_.connections_max) kept_.pop_back();
  }

  const ProbeOptions options_;
  RunningCalls running_;
  Mutex mutex_;
  std::list<Connection> kept_ ABSL_GUARDED_BY(mutex_);  // the last used first
};

InstanceProbe::InstanceProbe(ProbeOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
InstanceProbe::~InstanceProbe() = default;

Answer InstanceProbe::Ask(const Question& question) { return impl_->Ask(question); }
void InstanceProbe::Stop() { impl_->Stop(); }

}  // namespace pinion::probe
