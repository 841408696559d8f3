#include "registry/access/decision.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "registry/model/errors.h"

namespace pinion::access {
namespace {

absl::string_view Word(const Object& object) {
  return object.kind == Object::Kind::kService ? "service" : "consumer";
}

bool IsAllowed(const Rights& rights, Need need, const Object& object) {
  if (rights.operates) return true;
  const bool own = object.exists && rights.owners.contains(object.owner);
  switch (need) {
    case Need::kNothing:
      return true;
    case Need::kRead:
      return rights.has_role;
    case Need::kReview:
      return rights.reviews;
    case Need::kFollow:
      return rights.follows;
    case Need::kOwn:
      return object.exists ? own : rights.has_role;
    case Need::kCreate:
      return object.exists ? own : MayCreate(rights, object.name, object.owner);
    case Need::kPins:
      if (object.kind != Object::Kind::kConsumer) return false;
      if (!object.exists) return rights.has_role;
      return own || rights.consumers.contains(object.name);
    case Need::kOperate:
      return false;
  }
  return false;
}

// In a shell's single quotes.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// What was asked for, and the grant that would allow it.
struct Explanation {
  std::string deed;   // goes on after "SUBJECT may not "
  std::string grant;  // "reader", "owner 'payments'"
};

Explanation Explain(Need need, const Object& object) {
  const std::string named = absl::StrCat(Word(object), " '", object.name, "'");
  const std::string owned = absl::StrCat(named, ", which '", object.owner, "' owns");
  const std::string as_owner = absl::StrCat("owner ", Quoted(object.owner));
  switch (need) {
    case Need::kRead:
      return {"read this registry, since no role was given to it", "reader"};
    case Need::kReview:
      return {"read the audit log, or who may do what", "reader"};
    case Need::kFollow:
      return {"follow this registry, which gateways do", "gateway"};
    case Need::kOwn:
      if (object.exists) return {absl::StrCat("change ", owned), as_owner};
      return {absl::StrCat("change ", named), "reader"};
    case Need::kCreate:
      if (object.exists) return {absl::StrCat("change ", owned), as_owner};
      return {absl::StrCat("create ", named, " as owner '", object.owner, "'"),
              absl::StrCat("owner NAME --create ", Quoted(object.name))};
    case Need::kPins:
      if (object.kind == Object::Kind::kConsumer) {
        return {absl::StrCat("change the pins of ", object.exists ? owned : named),
                absl::StrCat("consumer ", Quoted(object.name))};
      }
      return {"change the pins of all consumers at once", "operator"};
    default:
      return {"do this, which operators do", "operator"};
  }
}

absl::Status Denial(const Rights& rights, absl::string_view deed, absl::string_view grant,
                    model::Metadata metadata) {
  std::string message = absl::StrCat(rights.actor, " may not ", deed);
  if (!grant.empty()) {
    absl::StrAppend(&message, "; an operator can allow it: `pinion access grant ", grant, " --to ",
                    Quoted(rights.actor), "`");
  }
  metadata.emplace_back("subject", rights.actor);
  return model::Refusal(absl::StatusCode::kPermissionDenied, "ACCESS_DENIED", message,
                        std::move(metadata));
}

}  // namespace

absl::Status Decide(const Rights& rights, Need need, const Object& object) {
  if (IsAllowed(rights, need, object)) return absl::OkStatus();
  const Explanation why = Explain(need, object);
  model::Metadata metadata;
  if (!object.name.empty()) metadata.emplace_back(std::string(Word(object)), object.name);
  if (!object.owner.empty()) metadata.emplace_back("owner", object.owner);
  return Denial(rights, why.deed, why.grant, std::move(metadata));
}

absl::Status DenyUnknown(const Rights& rights, absl::string_view method) {
  return Denial(rights,
                absl::StrCat("call ", method,
                             ", since this registry has no rule for it: nobody "
                             "may"),
                "", {{"method", std::string(method)}});
}

}  // namespace pinion::access
