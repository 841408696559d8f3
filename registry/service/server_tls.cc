#include "registry/service/server_tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>

namespace pinion::service {

std::shared_ptr<grpc::ServerCredentials> TlsCredentialsOf(const ServerTls& tls) {
  using grpc::experimental::FileWatcherCertificateProvider;
  // gRPC counts in whole seconds.
  const auto seconds = static_cast<unsigned>(
      std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(tls.refresh, absl::Seconds(1)))));
  const auto files = tls.trusted_ca.empty()
                         ? std::make_shared<FileWatcherCertificateProvider>(
                               tls.private_key, tls.certificate_chain, seconds)
                         : std::make_shared<FileWatcherCertificateProvider>(
                               tls.private_key, tls.certificate_chain, tls.trusted_ca, seconds);
  grpc::experimental::TlsServerCredentialsOptions options(files);
  options.watch_identity_key_cert_pairs();
  if (tls.trusted_ca.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    options.set_cert_request_type(tls.require_client_certificate
                                      ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace pinion::service
