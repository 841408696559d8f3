// One call's way through the route table: the rules of precedence, step by step. Both
// RouteTable::Resolve and Explain are runs of this, the latter with an ear for what each step
// found. Lives on the stack of one run. Private to gateway/route.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/route/route_table.h"

namespace pinion::route {

class Decision {
 public:
  // `steps` collects a sentence for each step; null: nobody listens.
  Decision(const RouteTable& table, const CallQuery& query, HeaderResolutions& headers,
           std::vector<std::string>* steps)
      : table_(table), query_(query), headers_(headers), steps_(steps) {}

  Resolved Run();

 private:
  // The first source that exists.
  struct Wanted {
    const ExpressionEntry* expression = nullptr;
    Source source = Source::kUnpinnedPolicy;
  };

  // Each returns a refusal, or nullopt to go on.
  std::optional<Refusal> FindService();
  std::optional<Refusal> FindWanted();
  std::optional<Refusal> FindVersion();
  std::optional<Refusal> CheckEntitled();
  std::optional<Refusal> CheckMethod();

  // Each sets wanted_ and returns true if its source exists.
  bool FromHeader();
  bool FromMethodPin();
  bool FromServicePin();
  bool FromDefaultChannel();
  bool FromPackage();
  bool FromPolicy();

  void SayProposal(const Route& route);
  void SayVersion();
  void SayRamp(bool among);
  // What a ramped channel means for this caller; null: nothing.
  const VersionEntry* FollowRamp();
  // What limits the consumer's choice; null: nothing.
  const EntitlementEntry* FindEntitlement() const;
  const ExpressionEntry* FindPin(uint16_t method) const;
  // Whether a pin asks for the version, and not for a channel that leads to it.
  bool PinnedByName() const;
  bool Want(const ExpressionEntry* expression, Source source);

  Refusal Refuse(Reason reason, absl::string_view message, Refusal::Metadata more = {}) const;
  Refusal RefuseMalformed(absl::string_view problem) const;
  Refusal RefuseNoMatch() const;
  Refusal RefuseRetired() const;
  Refusal RefuseNeverActive() const;
  Refusal RefuseSunset() const;
  Refusal RefuseNotEntitled(const EntitlementEntry& entitlement) const;
  Refusal RefuseMethod(uint16_t method) const;

  // "the pin of consumer `billing` for `greeter`": who asked, for messages.
  std::string Asker() const;
  // NearestVersions() that this caller may choose.
  std::vector<std::string> Nearest(absl::string_view asked,
                                   std::optional<uint16_t> method = std::nullopt) const;
  // Whom the owners have named to come after `version`, or after that one, and so on until one that
  // may be called; else the version nearest to it. Empty: none may.
  std::string Successor(const VersionEntry& version) const;
  // The newest version that the asked range matches and that has ended; null: none.
  const VersionEntry* FindEnded() const;
  // What the asker can do to get another version.
  std::string Advice(absl::string_view example) const;

  // Whether anybody wants to know the steps; what is costly to say is not said to nobody.
  bool explains() const { return steps_ != nullptr; }
  template <typename... Parts>
  void Say(const Parts&... parts) {
    if (explains()) steps_->push_back(absl::StrCat(parts...));
  }

  const RouteTable& table_;
  const CallQuery& query_;
  HeaderResolutions& headers_;
  std::vector<std::string>* const steps_;

  const ServiceEntry* service_ = nullptr;
  uint32_t position_ = 0;  // of the gRPC service in service_->grpc_services
  uint16_t method_ = 0;    // its number; 0: not known
  Wanted wanted_;
  const VersionEntry* version_ = nullptr;  // what wanted_.expression means for this caller
};

// Names of the versions of `service` that callers may choose, nearest to `asked` (a version's name,
// or anything else) first chosen, at most limits::kMaxRefusalVersions, newest first. With a method:
// only those that have it; with an entitlement: only those that it allows.
std::vector<std::string> NearestVersions(const ServiceEntry& service, absl::string_view asked,
                                         std::optional<uint16_t> method,
                                         const EntitlementEntry* entitlement);

}  // namespace pinion::route
