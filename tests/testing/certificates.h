// A certificate authority for tests: certificates are made when a test needs them, so that none is
// in the tree and none expires there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/net/tls_files.h"

namespace pinion::testing {

struct CertificateSpec {
  std::string common_name = "test";
  // SANs, bytes as they are: a test may put a NUL into one.
  std::vector<std::string> dns;
  std::vector<std::string> uris;
  std::vector<std::string> ips = {};       // "127.0.0.1"
  absl::Duration valid = absl::Hours(24);  // from an hour ago; negative: expired that long ago
  bool rsa = false;                        // else P-256
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name = "Test CA");
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  // Writes NAME.crt and NAME.key into `directory`, replacing what is there.
  net::TlsCertificateFiles Issue(const std::string& directory, const std::string& name,
                                 const CertificateSpec& spec) const;
  // Writes NAME.crt with the authority's own certificate and returns its path.
  std::string Write(const std::string& directory, const std::string& name) const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace pinion::testing
