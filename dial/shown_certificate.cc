#include "dial/shown_certificate.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace pinion::dial {
namespace {

// What was shown; gRPC's threads write it.
struct Shown {
  Mutex mutex;
  std::string chain ABSL_GUARDED_BY(mutex);
};

std::string ToString(grpc::string_ref text) { return {text.data(), text.size()}; }

// Keeps what is shown, and never goes on from there.
class Recorder : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit Recorder(std::shared_ptr<Shown> shown) : shown_(std::move(shown)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* sync_status) override {
    std::string chain = ToString(request->peer_cert_full_chain());
    if (chain.empty()) chain = ToString(request->peer_cert());
    MutexLock lock(&shown_->mutex);
    shown_->chain = std::move(chain);
    *sync_status = grpc::Status(grpc::StatusCode::CANCELLED, "seen");
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  const std::shared_ptr<Shown> shown_;
};

}  // namespace

absl::StatusOr<std::string> ShownCertificate(const std::string& address,
                                             const Credentials& credentials,
                                             absl::Duration patience) {
  const auto shown = std::make_shared<Shown>();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<Recorder>(shown));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!credentials.tls_name.empty()) arguments.SetSslTargetNameOverride(credentials.tls_name);
  const auto channel = grpc::CreateCustomChannel(
      GrpcTarget(address), grpc::experimental::TlsCredentials(options), arguments);
  const auto deadline = absl::ToChronoTime(SystemClock().Wall() + patience);
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_TRANSIENT_FAILURE && state != GRPC_CHANNEL_SHUTDOWN &&
         channel->WaitForStateChange(state, deadline)) {
    state = channel->GetState(/*try_to_connect=*/true);
  }
  MutexLock lock(&shown->mutex);
  if (!shown->chain.empty()) return shown->chain;
  return absl::UnavailableError(absl::StrCat(address, " shows no certificate"));
}

}  // namespace pinion::dial
