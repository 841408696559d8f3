// Operations on consumers and their identities.
#include <map>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/validate.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"

namespace pinion::service {
namespace {

using google::protobuf::util::MessageDifferencer;
using routing::v1::Identity;

// Key of the claim → the identity. A consumer without a trusted_header of its own is known by its
// name.
std::map<std::string, Identity> IdentitiesOf(const routing::v1::Consumer& consumer) {
  std::map<std::string, Identity> identities;
  bool has_header = false;
  for (const Identity& identity : consumer.identities()) {
    identities[model::IdentityKey(identity)] = identity;
    has_header |= identity.has_trusted_header();
  }
  if (!has_header && !consumer.name().empty()) {
    Identity own;
    own.set_trusted_header(consumer.name());
    identities[model::IdentityKey(own)] = own;
  }
  return identities;
}

// Moves the claims from what `before` has to what `after` has. AlreadyExists: somebody else has
// one.
absl::Status Claim(Draft& draft, const routing::v1::Consumer& before,
                   const routing::v1::Consumer& after) {
  const std::map<std::string, Identity> old_claims = IdentitiesOf(before);
  const std::map<std::string, Identity> new_claims = IdentitiesOf(after);
  for (const auto& [key, identity] : old_claims) {
    if (!new_claims.contains(key)) draft.Delete(key);
  }
  for (const auto& [key, identity] : new_claims) {
    if (old_claims.contains(key)) continue;
    ASSIGN_OR_RETURN(const auto taken, draft.Get<v1::Claim>(key));
    if (taken.has_value()) {
      return model::Refusal(
          absl::StatusCode::kAlreadyExists, "IDENTITY_TAKEN",
          absl::StrCat("identity { ", identity.ShortDebugString(), " } belongs to consumer '",
                       taken->value.owner(), "'; an identity belongs to one consumer"),
          {{"consumer", after.name()}, {"owner", taken->value.owner()}});
    }
    v1::Claim claim;
    claim.set_owner(after.name());
    draft.Put(key, claim);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Consumer> CreateConsumer(Draft& draft,
                                            const v1::CreateConsumerRequest& request) {
  RETURN_IF_ERROR(model::ValidateConsumer(request.consumer()));
  RETURN_IF_ERROR(
      model::ValidateText("description", request.description(), model::kMaxDescriptionBytes));
  RETURN_IF_ERROR(model::ValidateText("owner", request.owner(), model::kMaxActorBytes));
  const std::string& name = request.consumer().name();
  ASSIGN_OR_RETURN(const auto there, draft.Get<v1::Consumer>(model::ConsumerKey(name)));
  if (there.has_value()) {
    if (MessageDifferencer::Equals(there->value.consumer(), request.consumer()) &&
        there->value.description() == request.description()) {
      return there->value;
    }
    return model::Refusal(
        absl::StatusCode::kAlreadyExists, "CONSUMER_EXISTS",
        absl::StrCat("consumer '", name, "' exists, owned by ", there->value.meta().owner(),
                     ", otherwise; update it instead"),
        {{"consumer", name}, {"owner", there->value.meta().owner()}});
  }
  v1::Consumer consumer;
  *consumer.mutable_consumer() = request.consumer();
  consumer.set_description(request.description());
  *consumer.mutable_meta() = draft.NewMeta(request.owner());
  RETURN_IF_ERROR(Claim(draft, {}, consumer.consumer()));
  draft.Put(model::ConsumerKey(name), consumer);
  draft.Audit("consumer.create", name, nullptr, &consumer.consumer());
  return consumer;
}

absl::StatusOr<v1::Consumer> UpdateConsumer(Draft& draft,
                                            const v1::UpdateConsumerRequest& request) {
  RETURN_IF_ERROR(model::ValidateConsumer(request.consumer()));
  RETURN_IF_ERROR(
      model::ValidateText("description", request.description(), model::kMaxDescriptionBytes));
  RETURN_IF_ERROR(model::ValidateText("owner", request.owner(), model::kMaxActorBytes));
  const std::string& name = request.consumer().name();
  ASSIGN_OR_RETURN(const Stored<v1::Consumer> there, RequireConsumer(draft, name));
  RETURN_IF_ERROR(CheckExpected(request.has_expected_revision(), request.expected_revision(),
                                there.revision, absl::StrCat("consumer ", name)));
  v1::Consumer consumer = there.value;
  *consumer.mutable_consumer() = request.consumer();
  if (request.has_description()) consumer.set_description(request.description());
  if (request.has_owner() && !request.owner().empty()) {
    consumer.mutable_meta()->set_owner(request.owner());
  }
  if (MessageDifferencer::Equals(consumer, there.value)) return consumer;
  RETURN_IF_ERROR(Claim(draft, there.value.consumer(), consumer.consumer()));
  draft.Touch(*consumer.mutable_meta());
  draft.Put(model::ConsumerKey(name), consumer);
  draft.Audit("consumer.update", name, &there.value.consumer(), &consumer.consumer());
  return consumer;
}

absl::StatusOr<v1::Consumer> GetConsumer(Draft& draft, const v1::GetConsumerRequest& request) {
  ASSIGN_OR_RETURN(Stored<v1::Consumer> consumer, RequireConsumer(draft, request.name()));
  return std::move(consumer.value);
}

absl::StatusOr<v1::ListConsumersResponse> ListConsumers(Draft& draft,
                                                        const v1::ListConsumersRequest& request) {
  ASSIGN_OR_RETURN(
      Page<v1::Consumer> page,
      draft.List<v1::Consumer>(model::kConsumers, {request.page_size(), request.page_token()}));
  v1::ListConsumersResponse response;
  for (auto& consumer : page.records) *response.add_consumers() = std::move(consumer.value);
  response.set_next_page_token(page.next_token);
  return response;
}

}  // namespace pinion::service
