// One service as a TableBuilder knows it: its resources, the numbers of its expressions and
// methods, and the ServiceEntry compiled from them, of which the next one reuses what did not
// change. Owned by the builder, on its thread. Private to gateway/route.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/route/entries.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::route {

class ServiceBuilder {
 public:
  // Gives the id of a version of this service, always the same for the same name.
  using VersionIds = std::function<uint32_t(const std::string& version)>;

  // `changed` gets the id of each service whose entry is to be compiled anew, once for each
  // Compile(): from the start, this one's. Outlives the builder.
  ServiceBuilder(uint32_t id, std::string name, VersionIds version_ids,
                 std::vector<uint32_t>& changed)
      : id_(id), name_(std::move(name)), version_ids_(std::move(version_ids)), changed_(changed) {
    MarkChanged();
  }

  uint32_t id() const { return id_; }
  const std::optional<routing::v1::Service>& service() const { return service_; }

  // Each refuses with InvalidArgument and changes nothing then. What refers to names that are not
  // there yet is fine.
  absl::Status PutService(const routing::v1::Service& service);
  absl::Status PutVersion(const routing::v1::Version& version);
  absl::Status PutChannel(const routing::v1::Channel& channel);
  absl::Status PutResolution(const routing::v1::Resolution& resolution);
  // ResourceExhausted: too many.
  absl::Status PutEntitlement(const routing::v1::Entitlement& entitlement);
  // REQUIRES: `instance` is of this service.
  absl::Status PutInstance(const routing::v1::Instance& instance);
  void DeleteService();
  void DeleteVersion(const std::string& version);
  void DeleteChannel(const std::string& channel);
  void DeleteResolution(const std::string& expression);
  void DeleteEntitlement(const std::string& consumer);
  void DeleteInstance(const std::string& version, const std::string& uid);

  // InvalidArgument: the scheme is known, and does not read `expression`.
  absl::Status CheckExpression(absl::string_view expression) const;
  // The number of an expression, held until released. InvalidArgument as CheckExpression;
  // ResourceExhausted: too many.
  absl::StatusOr<uint16_t> AcquireExpression(absl::string_view expression);
  void ReleaseExpression(uint16_t number);

  // The number of a method, given once and kept. ResourceExhausted: too many.
  absl::StatusOr<uint16_t> InternMethod(absl::string_view full_path);
  std::optional<uint16_t> FindMethod(absl::string_view full_path) const;
  void CountMethodPin(int by);

  // The entry of the next tables, or null without a Service resource.
  std::shared_ptr<const ServiceEntry> Compile();

 private:
  struct VersionRecord {
    std::optional<routing::v1::Version> resource;  // without methods, which are in method_bits
    std::vector<uint64_t> method_bits;
    bool has_descriptors = false;
    std::map<std::string, InstanceEntry> instances;                        // by uid
    std::shared_ptr<const std::vector<InstanceEntry>> compiled_instances;  // null: changed
    std::shared_ptr<const VersionEntry> compiled;                          // null: changed
  };
  struct ExpressionRecord {
    std::string text;
    uint32_t holders = 0;
    bool checked = false;                             // is known to be good under the scheme
    std::shared_ptr<const ExpressionEntry> compiled;  // null: to be resolved
  };

  struct EntitlementRecord {
    std::string expression;
    std::shared_ptr<const EntitlementEntry> compiled;  // null: to be compiled
  };

  absl::Status CheckVersionNames(routing::v1::Scheme scheme) const;
  std::string Canonical(absl::string_view expression) const;
  void Changed(bool resolutions_too);
  void MarkChanged();

  std::shared_ptr<const VersionEntry> CompileVersion(const std::string& name,
                                                     VersionRecord& record);
  void CompileVersions(ServiceEntry& entry);
  void CompileChannels(ServiceEntry& entry);
  void CompileExpressions(ServiceEntry& entry);
  void CompilePolicy(ServiceEntry& entry);
  void CompileEntitlements(ServiceEntry& entry);

  const uint32_t id_;
  const std::string name_;
  const VersionIds version_ids_;
  std::vector<uint32_t>& changed_;

  std::optional<routing::v1::Service> service_;
  std::map<std::string, VersionRecord> versions_;  // by name
  std::map<std::string, routing::v1::Channel> channels_;
  std::map<std::string, std::string> resolutions_;  // canonical expression → version
  std::map<std::string, uint16_t> resolution_holds_;

  std::vector<ExpressionRecord> expressions_;
  std::vector<uint16_t> free_expressions_;
  absl::flat_hash_map<std::string, uint16_t> expression_numbers_;

  absl::flat_hash_map<std::string, uint16_t> methods_;
  std::shared_ptr<const absl::flat_hash_map<std::string, uint16_t>>
      compiled_methods_;  // null: changed
  int64_t method_pins_ = 0;

  absl::flat_hash_map<std::string, EntitlementRecord> entitlements_;  // by consumer
  std::shared_ptr<const EntitlementMap> compiled_entitlements_;       // null: changed

  bool is_changed_ = false;  // since the last Compile()
  std::shared_ptr<const ServiceEntry> entry_;
};

}  // namespace pinion::route
