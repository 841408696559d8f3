#include "registry/service/activation.h"

#include "registry/model/keys.h"
#include "registry/service/lookups.h"
#include "registry/service/version_state.h"

namespace pinion::service {
namespace {

constexpr char kStable[] = "stable";

}  // namespace

absl::StatusOr<Activation> ActivateByInstance(Draft& draft, registry::v1::VersionRecord record) {
  const std::string service_name = record.version().version().service();
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, service_name));
  Activation activation;
  ASSIGN_OR_RETURN(activation.moved, PutActive(draft, record));

  const std::string stable_key = model::ChannelKey(service_name, kStable);
  ASSIGN_OR_RETURN(const auto stable, draft.Get<registry::v1::Channel>(stable_key));
  if (stable.has_value()) return activation;
  registry::v1::Channel channel;
  channel.mutable_channel()->set_service(service_name);
  channel.mutable_channel()->set_name(kStable);
  channel.mutable_channel()->set_version(record.version().version().name());
  *channel.mutable_meta() = draft.NewMeta(service.value.meta().owner());
  draft.Put(stable_key, channel);
  activation.channels.push_back(kStable);
  return activation;
}

}  // namespace pinion::service
