// The registry's etcd: which members, below which prefix, and as whom.
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/proto_duration.h"
#include "config/password_file.h"
#include "config/validate.h"

namespace pinion::config {
namespace {

// As registry/store/etcd_options.h, which a configuration does not see: the planes and the stores
// are not its business.
constexpr size_t kMaxPrefixBytes = 64;
// Shorter than an election, a call could never outlive the loss of a leader.
constexpr absl::Duration kMinRequestTimeout = absl::Seconds(1);
constexpr absl::Duration kMaxRequestTimeout = absl::Minutes(5);

void CheckEndpoints(const v1::Store::Etcd& etcd, const std::string& path, Reporter& report) {
  if (etcd.endpoints().empty()) {
    report.AtValue(path, "etcd needs endpoints: HOST:PORT of every member");
  }
  absl::flat_hash_set<std::string> seen;
  for (int i = 0; i < etcd.endpoints_size(); ++i) {
    const std::string& endpoint = etcd.endpoints(i);
    const std::string where = absl::StrCat(path, ".endpoints[", i, "]");
    if (absl::StrContains(endpoint, "://")) {
      report.AtValue(where, absl::StrCat("\"", endpoint,
                                         "\" has a scheme: write HOST:PORT alone, and tls beside "
                                         "endpoints if etcd speaks it"));
      continue;
    }
    report.Check(where, ParseAddress(endpoint, AddressUse::kConnect).status());
    if (!seen.insert(endpoint).second) {
      report.AtValue(where, absl::StrCat("\"", endpoint, "\" is named twice"));
    }
  }
}

void CheckUser(const v1::Store::Etcd& etcd, const std::string& path, Reporter& report) {
  if (etcd.username().empty() != etcd.password_file().empty()) {
    report.AtValue(path, "username and password_file go together; one is missing");
    return;
  }
  if (etcd.password_file().empty()) return;
  const std::string where = absl::StrCat(path, ".password_file");
  report.Check(where, ReadPasswordFile(etcd.password_file()).status());
}

}  // namespace

void ValidateEtcd(const v1::Store::Etcd& etcd, Reporter report) {
  const std::string path = "registry.store.etcd";
  CheckEndpoints(etcd, path, report);
  if (etcd.prefix().size() > kMaxPrefixBytes) {
    report.AtValue(absl::StrCat(path, ".prefix"),
                   absl::StrCat("has ", etcd.prefix().size(), " bytes; at most ", kMaxPrefixBytes));
  }
  CheckUser(etcd, path, report);
  const absl::Duration timeout = FromProto(etcd.request_timeout());
  if (etcd.has_request_timeout() &&
      (timeout < kMinRequestTimeout || timeout > kMaxRequestTimeout)) {
    report.AtValue(absl::StrCat(path, ".request_timeout"), "must be from 1s to 300s");
  }
}

}  // namespace pinion::config
