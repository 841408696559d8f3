#include "config/validate.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "config/address.h"
#include "registry/model/retirement.h"
#include "registry/model/usage.h"

namespace pinion::config {
namespace {

using google::protobuf::Duration;
using google::protobuf::UInt32Value;
using routing::v1::Address;

// More workers than any machine has cores are a slip of the finger.
constexpr uint32_t kMaxWorkers = 1024;
// RFC 9113 6.9.1.
constexpr uint32_t kMaxWindowBytes = 0x7FFFFFFF;
// RFC 9113 6.9.2: a connection's window begins with this much and can only be enlarged.
constexpr uint32_t kMinConnectionWindowBytes = 65535;
// Below this a call's own headers do not fit, or hardly any calls run.
constexpr uint32_t kMinStreamWindowBytes = 1024;
constexpr uint32_t kMinHeaderListBytes = 1024;
constexpr uint32_t kMinHeaderFields = 16;
// A gateway of usual size needs half of it without a call.
constexpr uint64_t kMinMemoryBudget = 64 << 20;
// Often enough for any test, seldom enough for the registry's disk; and not to be forgotten
// between.
constexpr absl::Duration kMinReportInterval = absl::Milliseconds(100);
constexpr absl::Duration kMaxReportInterval = absl::Hours(1);
// Often enough for any test; and no instance is left alone for longer than an hour.
constexpr absl::Duration kMinCheckTime = absl::Milliseconds(100);
constexpr absl::Duration kMaxCheckTime = absl::Hours(1);

class Validator {
 public:
  explicit Validator(Reporter report) : report_(report) {}

  void Run(const v1::Bootstrap& bootstrap) {
    for (int i = 0; i < bootstrap.listeners_size(); ++i) {
      CheckListener(bootstrap.listeners(i), absl::StrCat("listeners[", i, "]"));
    }
    if (bootstrap.has_admin()) {
      CheckListenAddress(bootstrap.admin().address(), "admin.address", "admin",
                         AddressUse::kListen);
      if (bootstrap.admin().address().has_pipe()) {
        report_.AtValue("admin.address", "admin speaks HTTP on a port: it needs socket_address");
      }
    }
    if (bootstrap.has_registry()) CheckRegistry(bootstrap.registry());
    if (bootstrap.has_gateway()) CheckGateway(bootstrap.gateway());
    CheckHeadersDiffer(bootstrap);
    if (bootstrap.has_static_resources() && bootstrap.registry().has_address()) {
      report_.AtValue("static_resources",
                      "static_resources beside registry.address: a gateway routes by one of them; "
                      "take the other out");
    }
    ValidateStaticResources(bootstrap.static_resources(), report_);
    ValidateAuth(bootstrap, report_);
    ValidateTls(bootstrap, report_);
  }

 private:
  // One address that this process would listen on.
  struct Listening {
    std::string what;
    const Address* address;
  };

  void CheckListener(const v1::Listener& listener, const std::string& path) {
    if (listener.name().empty()) {
      report_.AtValue(path, "the listener has no name");
    } else if (!listener_names_.emplace(listener.name(), path).second) {
      report_.AtValue(absl::StrCat(path, ".name"),
                      absl::StrCat("a second listener named \"", listener.name(), "\""));
    }
    CheckListenAddress(listener.address(), absl::StrCat(path, ".address"),
                       listener.name().empty() ? "a listener without a name"
                                               : absl::StrCat("listener \"", listener.name(), "\""),
                       AddressUse::kListen);
    if (listener.has_http2()) CheckHttp2(listener.http2(), absl::StrCat(path, ".http2"));
    if (!listener.consumer_identity().has_trusted_header()) return;
    const auto& header = listener.consumer_identity().trusted_header();
    const std::string header_path = absl::StrCat(path, ".consumer_identity.trusted_header");
    report_.Check(absl::StrCat(header_path, ".name"), CheckHeaderName(header.name()));
    for (int i = 0; i < header.trusted_peers_size(); ++i) {
      report_.Check(absl::StrCat(header_path, ".trusted_peers[", i, "]"),
                    CheckCidr(header.trusted_peers(i)));
    }
  }

  void CheckListenAddress(const Address& address, const std::string& path, std::string what,
                          AddressUse use) {
    std::string field;
    if (const absl::Status status = CheckAddress(address, use, field); !status.ok()) {
      report_.Check(absl::StrCat(path, field), status);
      return;
    }
    for (const Listening& other : listening_) {
      if (!Collide(*other.address, address)) continue;
      report_.AtValue(path, absl::StrCat(ToString(address), " is taken by ", other.what));
      return;
    }
    listening_.push_back({std::move(what), &address});
  }

  void CheckRegistry(const v1::Registry& registry) {
    if (registry.has_address()) {
      CheckListenAddress(registry.address(), "registry.address", "the registry",
                         AddressUse::kEither);
    }
    ValidateRegistryAccess(registry, report_);
    CheckReplicas(registry);
    CheckRollbackWindow(registry);
    CheckInstanceChecks(registry.instance_checks());
    if (registry.has_usage_window()) {
      CheckSpan(registry.usage_window(), absl::ZeroDuration(), model::kUsageRetention,
                "registry.usage_window");
    }
    if (registry.store().has_etcd()) ValidateEtcd(registry.store().etcd(), report_);
    if (!registry.store().has_sqlite()) return;
    const std::string path = "registry.store.sqlite.path";
    const std::filesystem::path file = registry.store().sqlite().path();
    if (file.empty()) {
      report_.AtValue(path, "path is missing");
      return;
    }
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) {
      report_.AtValue(path, absl::StrCat(file.native(), " is a directory, not a store's file"));
      return;
    }
    const std::filesystem::path directory = file.parent_path();
    CheckWritableDirectory(directory.empty() ? "." : directory.native(), path);
  }

  void CheckInstanceChecks(const v1::InstanceChecks& checks) {
    const std::string path = "registry.instance_checks";
    const auto check = [&](bool has, const google::protobuf::Duration& span, const char* field) {
      if (!has) return;
      CheckSpan(span, kMinCheckTime, kMaxCheckTime, absl::StrCat(path, ".", field));
    };
    check(checks.has_health_interval(), checks.health_interval(), "health_interval");
    check(checks.has_schema_interval(), checks.schema_interval(), "schema_interval");
    check(checks.has_timeout(), checks.timeout(), "timeout");
    for (int i = 0; i < checks.upstream_tls_size(); ++i) {
      if (checks.upstream_tls(i).tls_minimum_protocol_version() == v1::TLS_AUTO) continue;
      report_.AtValue(absl::StrCat(path, ".upstream_tls[", i, "].tls_minimum_protocol_version"),
                      "is for gateways alone: the registry's checks speak TLSv1_2 and above");
    }
  }

  void CheckReplicas(const v1::Registry& registry) {
    std::set<std::string> seen;
    if (registry.has_address()) seen.insert(ToString(registry.address()));
    for (int i = 0; i < registry.replicas_size(); ++i) {
      const Address& replica = registry.replicas(i);
      const std::string path = absl::StrCat("registry.replicas[", i, "]");
      std::string field;
      if (!registry.has_address()) {
        report_.AtValue(path, "registry.address is missing: it is the first of the replicas");
      } else if (const absl::Status status = CheckAddress(replica, AddressUse::kConnect, field);
                 !status.ok()) {
        report_.Check(absl::StrCat(path, field), status);
      } else if (!seen.insert(ToString(replica)).second) {
        report_.AtValue(path, absl::StrCat(ToString(replica), " is named twice"));
      } else if (!IsLocal(replica) && !registry.insecure() && !registry.client().has_tls()) {
        report_.AtValue(path, absl::StrCat(ToString(replica),
                                           " is on another machine: set registry.client.tls, or "
                                           "say `insecure: true`"));
      }
    }
  }

  void CheckRollbackWindow(const v1::Registry& registry) {
    const std::string path = "registry.rollback_window";
    CheckDuration(registry.has_rollback_window(), registry.rollback_window(), path,
                  /*zero_is_fine=*/true);
    if (FromProto(registry.rollback_window()) > model::kMaxRollbackWindow) {
      report_.AtValue(path, "must be at most ten years, 315360000s");
    }
  }

  void CheckWritableDirectory(const std::string& directory, const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error)) {
      report_.AtValue(path, absl::StrCat("there is no directory ", directory));
    } else if (::access(directory.c_str(), W_OK | X_OK) != 0) {
      report_.AtValue(path, absl::StrCat("directory ", directory,
                                         " cannot be written to: ", std::strerror(errno)));
    }
  }

  void CheckGateway(const v1::Gateway& gateway) {
    if (gateway.workers() > kMaxWorkers) {
      report_.AtValue("gateway.workers", absl::StrCat("at most ", kMaxWorkers, " workers"));
    }
    if (!gateway.version_header().empty()) {
      report_.Check("gateway.version_header", CheckHeaderName(gateway.version_header()));
    }
    CheckDuration(gateway.has_drain_timeout(), gateway.drain_timeout(), "gateway.drain_timeout",
                  /*zero_is_fine=*/true);
    CheckDuration(gateway.has_max_deadline(), gateway.max_deadline(), "gateway.max_deadline",
                  false);
    CheckDuration(gateway.has_connect_timeout(), gateway.connect_timeout(),
                  "gateway.connect_timeout", false);
    CheckDuration(gateway.has_idle_timeout(), gateway.idle_timeout(), "gateway.idle_timeout",
                  false);
    CheckDuration(gateway.has_max_connection_age(), gateway.max_connection_age(),
                  "gateway.max_connection_age", false);
    CheckDuration(gateway.has_max_connection_age_grace(), gateway.max_connection_age_grace(),
                  "gateway.max_connection_age_grace", true);
    if (gateway.has_report_interval()) {
      CheckSpan(gateway.report_interval(), kMinReportInterval, kMaxReportInterval,
                "gateway.report_interval");
    }
    const v1::Keepalive& keepalive = gateway.upstream_keepalive();
    CheckDuration(keepalive.has_interval(), keepalive.interval(),
                  "gateway.upstream_keepalive.interval", false);
    CheckDuration(keepalive.has_timeout(), keepalive.timeout(),
                  "gateway.upstream_keepalive.timeout", false);
    CheckBreakers(gateway.circuit_breakers());
    if (gateway.outlier_ejection().has_max_percent()) {
      CheckRange(gateway.outlier_ejection().max_percent(), 0, 100,
                 "gateway.outlier_ejection.max_percent");
    }
    if (gateway.has_upstream_http2()) {
      CheckHttp2(gateway.upstream_http2(), "gateway.upstream_http2");
      if (gateway.upstream_http2().has_max_concurrent_streams()) {
        report_.AtValue("gateway.upstream_http2.max_concurrent_streams",
                        "instances open no streams, and say themselves how many they take: set "
                        "gateway.circuit_breakers.max_calls to bound a version's calls");
      }
    }
    if (gateway.has_max_connections()) {
      CheckRange(gateway.max_connections(), 1, UINT32_MAX, "gateway.max_connections");
    }
    if (gateway.has_memory_budget_bytes() &&
        gateway.memory_budget_bytes().value() < kMinMemoryBudget) {
      report_.AtValue("gateway.memory_budget_bytes",
                      absl::StrCat("must be ", kMinMemoryBudget, " (64 MiB) or more"));
    }
    if (!gateway.snapshot_dir().empty()) {
      CheckWritableDirectory(gateway.snapshot_dir(), "gateway.snapshot_dir");
    }
    if (gateway.has_access_log()) CheckAccessLog(gateway.access_log());
  }

  void CheckAccessLog(const v1::AccessLog& log) {
    const std::string path = "gateway.access_log";
    if (log.path().empty()) {
      report_.AtValue(path, "path is missing: a file, /dev/stdout or /dev/stderr");
    } else {
      const std::filesystem::path file = log.path();
      std::error_code error;
      if (std::filesystem::is_directory(file, error)) {
        report_.AtValue(absl::StrCat(path, ".path"),
                        absl::StrCat(file.native(), " is a directory, not a log's file"));
      } else if (!std::filesystem::exists(file, error)) {
        CheckWritableDirectory(file.has_parent_path() ? file.parent_path().native() : ".",
                               absl::StrCat(path, ".path"));
      }
    }
    if (!(log.sample().value() >= 0 && log.sample().value() <= 1)) {
      report_.AtValue(absl::StrCat(path, ".sample"), "must be from 0 to 1");
    }
  }

  void CheckDuration(bool present, const Duration& duration, const std::string& path,
                     bool zero_is_fine) {
    if (!present) return;
    const absl::Duration value = FromProto(duration);
    const absl::Duration zero = absl::ZeroDuration();
    if (value < zero || (value == zero && !zero_is_fine)) {
      report_.AtValue(path, zero_is_fine ? "must not be negative" : "must be above zero");
    }
  }

  void CheckSpan(const Duration& duration, absl::Duration min, absl::Duration max,
                 const std::string& path) {
    const absl::Duration value = FromProto(duration);
    if (value >= min && value <= max) return;
    report_.AtValue(path, absl::StrCat("must be from ", absl::ToDoubleSeconds(min), "s to ",
                                       absl::ToInt64Seconds(max), "s"));
  }

  void CheckBreakers(const v1::CircuitBreakers& breakers) {
    const auto check = [&](bool present, const UInt32Value& value, uint32_t min, uint32_t max,
                           const char* field) {
      if (present) CheckRange(value, min, max, absl::StrCat("gateway.circuit_breakers.", field));
    };
    check(breakers.has_max_connections(), breakers.max_connections(), 1, UINT32_MAX,
          "max_connections");
    check(breakers.has_max_pending_calls(), breakers.max_pending_calls(), 1, UINT32_MAX,
          "max_pending_calls");
    check(breakers.has_max_calls(), breakers.max_calls(), 1, UINT32_MAX, "max_calls");
    check(breakers.has_retry_percent(), breakers.retry_percent(), 0, 100, "retry_percent");
  }

  void CheckHttp2(const v1::Http2& http2, const std::string& path) {
    const auto check = [&](bool present, const UInt32Value& value, uint32_t min, uint32_t max,
                           const char* field) {
      if (present) CheckRange(value, min, max, absl::StrCat(path, ".", field));
    };
    check(http2.has_max_concurrent_streams(), http2.max_concurrent_streams(), 1, UINT32_MAX,
          "max_concurrent_streams");
    check(http2.has_initial_stream_window_bytes(), http2.initial_stream_window_bytes(),
          kMinStreamWindowBytes, kMaxWindowBytes, "initial_stream_window_bytes");
    check(http2.has_initial_connection_window_bytes(), http2.initial_connection_window_bytes(),
          kMinConnectionWindowBytes, kMaxWindowBytes, "initial_connection_window_bytes");
    check(http2.has_max_stream_window_bytes(), http2.max_stream_window_bytes(), 0, kMaxWindowBytes,
          "max_stream_window_bytes");
    check(http2.has_max_connection_window_bytes(), http2.max_connection_window_bytes(), 0,
          kMaxWindowBytes, "max_connection_window_bytes");
    check(http2.has_max_header_list_bytes(), http2.max_header_list_bytes(), kMinHeaderListBytes,
          UINT32_MAX, "max_header_list_bytes");
    check(http2.has_max_header_fields(), http2.max_header_fields(), kMinHeaderFields, UINT32_MAX,
          "max_header_fields");
  }

  void CheckRange(const UInt32Value& value, uint32_t min, uint32_t max, const std::string& path) {
    if (value.value() >= min && value.value() <= max) return;
    report_.AtValue(path, max == UINT32_MAX ? absl::StrCat("must be at least ", min)
                                            : absl::StrCat("must be from ", min, " to ", max));
  }

  // One header cannot say both who calls and which version is wanted.
  void CheckHeadersDiffer(const v1::Bootstrap& bootstrap) {
    const std::string& set = bootstrap.gateway().version_header();
    const std::string version_header = set.empty() ? "api-version" : set;
    for (int i = 0; i < bootstrap.listeners_size(); ++i) {
      const auto& identity = bootstrap.listeners(i).consumer_identity();
      if (!identity.has_trusted_header() || identity.trusted_header().name() != version_header)
        continue;
      report_.AtValue(absl::StrCat("listeners[", i, "].consumer_identity.trusted_header.name"),
                      absl::StrCat("\"", version_header, "\" already asks for a version"));
    }
  }

  Reporter report_;
  absl::flat_hash_map<std::string, std::string> listener_names_;
  std::vector<Listening> listening_;
};

}  // namespace

void Validate(const v1::Bootstrap& bootstrap, Reporter report) { Validator(report).Run(bootstrap); }

}  // namespace pinion::config
