#include "dial/registry_connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/address.h"

namespace pinion::dial {
namespace {

// How soon a file that has changed is seen; the next connection uses it.
constexpr unsigned kRefreshSeconds = 5;

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const Credentials& credentials) {
  if (!credentials.tls) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  const bool has_ca = !credentials.trusted_ca.empty();
  const bool has_own = !credentials.certificate_chain.empty();
  if (has_ca || has_own) {
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            credentials.private_key, credentials.certificate_chain, credentials.trusted_ca,
            kRefreshSeconds));
  }
  if (has_ca) options.watch_root_certs();
  if (has_own) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace

RegistryConnection::RegistryConnection(const std::string& address, Credentials credentials,
                                       grpc::ChannelArguments arguments)
    : credentials_(std::move(credentials)) {
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (credentials_.tls && !credentials_.tls_name.empty()) {
    arguments.SetSslTargetNameOverride(credentials_.tls_name);
  }
  channel_ =
      grpc::CreateCustomChannel(GrpcTarget(address), ChannelCredentialsOf(credentials_), arguments);
}

void RegistryConnection::Authenticate(grpc::ClientContext& context) {
  const std::string token = Token();
  if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
}

std::string RegistryConnection::Token() {
  if (credentials_.token_file.empty()) return credentials_.token;
  absl::StatusOr<std::string> token = ReadTokenFile(credentials_.token_file);
  MutexLock lock(&mutex_);
  if (token.ok()) last_token_ = *std::move(token);
  return last_token_;
}

}  // namespace pinion::dial
