// Plans: each change drafted by its own operation and not committed, and then whom it would move.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/lifecycle.h"
#include "registry/model/requirements.h"
#include "registry/model/retirement.h"
#include "registry/service/lookups.h"
#include "registry/service/operations.h"
#include "registry/service/pin_changes.h"
#include "registry/service/plan_moves.h"
#include "registry/service/version_state.h"

namespace pinion::service {
namespace {

using Meaning = PlannedMoves::Meaning;

Meaning Always(std::string version) {
  return [version = std::move(version)](const std::string&) { return version; };
}

// What a person may still want to plan with, other than a request that cannot be meant.
bool IsRefusal(const absl::Status& status) {
  return !model::ReasonOf(status).empty() &&
         (absl::IsFailedPrecondition(status) || absl::IsPermissionDenied(status) ||
          absl::IsAborted(status) || absl::IsResourceExhausted(status));
}

class Planner {
 public:
  Planner(Registry& registry, const Caller& caller, std::string service)
      : registry_(registry),
        caller_(caller),
        reader_(registry, caller),
        service_(std::move(service)),
        moves_(reader_, service_) {}

  absl::Status SetPin(const v1::SetPinRequest& request) {
    return PlanPin(Draft(registry_, caller_), service::SetPin, request, request.pin());
  }

  absl::Status RollbackPin(const v1::RollbackPinRequest& request) {
    routing::v1::Pin pin;
    pin.set_consumer(request.consumer());
    pin.set_service(request.service());
    pin.set_method(request.method());
    return PlanPin(Draft(registry_, caller_), service::RollbackPin, request, pin);
  }

  absl::Status UnsetPin(const v1::UnsetPinRequest& request) {
    Draft draft(registry_, caller_);
    const auto made = service::UnsetPin(draft, request);
    if (!made.ok()) return Refused(made.status());
    if (made->old_expression().empty()) return absl::OkStatus();
    v1::PlannedMove move = MoveOf(request.consumer(), request.method());
    move.set_old_expression(made->old_expression());
    ASSIGN_OR_RETURN(
        *move.mutable_old_version(),
        ResolvedVersion(reader_, service_, made->old_expression(), request.consumer()));
    ASSIGN_OR_RETURN(const Unpinned then, WithoutThisPin(request.consumer(), request.method()));
    move.set_new_expression(then.expression);
    move.set_new_version(then.version);
    response_.set_changes(true);
    moves_.Add(std::move(move));
    return absl::OkStatus();
  }

  absl::Status MovePins(v1::MovePins move) {
    const absl::StatusOr<std::string> meaning = NormalizeMove(reader_, move, /*now=*/true);
    if (!meaning.ok()) return Refused(meaning.status());
    ASSIGN_OR_RETURN(const Meaning before, MeaningOf(move.from()));
    Meaning after = Always(*meaning);
    if (absl::StartsWith(move.to(), "@")) {
      ASSIGN_OR_RETURN(after, MeaningOf(move.to()));
    }
    RETURN_IF_ERROR(moves_.AddPinsOn(move.from(), move.to(), before, after));
    response_.set_changes(!moves_.pairs().empty());
    return absl::OkStatus();
  }

  absl::Status SetChannel(const v1::SetChannelRequest& request) {
    const std::string expression = absl::StrCat("@", request.channel().name());
    ASSIGN_OR_RETURN(const Meaning before, MeaningOf(expression));
    Draft draft(registry_, caller_);
    const auto made = service::SetChannel(draft, request);
    if (!made.ok()) return Refused(made.status());
    response_.set_changes(draft.changes());
    return FollowChannel(request.channel().name(), before, Always(made->channel().version()));
  }

  absl::Status RampChannel(const v1::RampChannelRequest& request) {
    ASSIGN_OR_RETURN(const Meaning before, MeaningOf(absl::StrCat("@", request.name())));
    Draft draft(registry_, caller_);
    const auto made = service::RampChannel(draft, request);
    if (!made.ok()) return Refused(made.status());
    response_.set_changes(made->changed());
    const ExpressionMeaning meaning{.channel = made->channel().channel()};
    return FollowChannel(request.name(), before,
                         [meaning](const std::string& consumer) { return meaning.For(consumer); });
  }

  absl::Status Deprecate(const v1::DeprecateVersionRequest& request) {
    Draft draft(registry_, caller_);
    const auto made = DeprecateVersion(draft, request);
    if (!made.ok()) return Refused(made.status());
    response_.set_changes(made->changed());
    const routing::v1::Version& after = made->version().version();
    if (!after.deprecation().has_sunset_time()) {
      response_.add_notes("nobody is moved; answers say that the version is deprecated");
      return absl::OkStatus();
    }
    response_.add_notes(
        absl::StrCat("nobody is moved before its sunset; the moves are those of its sunset, ",
                     model::UtcText(after.deprecation().sunset_time()), ", as things are now"));
    return ChangeState(request.name(), routing::v1::SUNSET);
  }

  absl::Status Reactivate(const v1::ReactivateVersionRequest& request) {
    Draft draft(registry_, caller_);
    const auto made = ReactivateVersion(draft, request);
    if (!made.ok()) return Refused(made.status());
    response_.set_changes(made->changed());
    if (!made->changed()) return absl::OkStatus();
    return ChangeState(request.name(), routing::v1::ACTIVE);
  }

  absl::Status Activate(const v1::ActivateVersionRequest& request) {
    ASSIGN_OR_RETURN(const auto service, RequireService(reader_, service_));
    ASSIGN_OR_RETURN(const auto record, RequireVersion(reader_, service_, request.name()));
    const routing::v1::VersionState state = record.value.version().version().state();
    if (state != routing::v1::PUBLISHED) {
      response_.add_notes(
          absl::StrCat("it has been active before; it is ", routing::v1::VersionState_Name(state)));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(NoteNeeds(request.name()));
    if (model::IsDatabase(service.value)) return ActivateStep(request);
    response_.set_changes(true);
    RETURN_IF_ERROR(ChangeState(request.name(), routing::v1::ACTIVE));
    ASSIGN_OR_RETURN(const auto stable,
                     reader_.Get<v1::Channel>(model::ChannelKey(service_, "stable")));
    if (stable.has_value()) return absl::OkStatus();
    response_.add_notes("it is the first active version, and takes @stable");
    return FollowChannel("stable", Always(""), Always(request.name()));
  }

  absl::Status Retire(const v1::RetireVersionRequest& request) {
    v1::ListRetirementBlockersRequest ask;
    ask.set_service(service_);
    ask.set_name(request.name());
    ASSIGN_OR_RETURN(const v1::ListRetirementBlockersResponse found,
                     ListRetirementBlockers(reader_, ask));
    *response_.mutable_blockers() = found.blockers();
    if (found.state() == routing::v1::RETIRED) return absl::OkStatus();
    if (!found.blockers().empty() && !request.force()) {
      response_.set_refusal(
          absl::StrCat(service_, " ", request.name(), " cannot be retired yet: ",
                       model::Summary({found.blockers().begin(), found.blockers().end()})));
      response_.set_refusal_reason("VERSION_IN_USE");
      return absl::OkStatus();
    }
    response_.set_changes(true);
    return ChangeState(request.name(), routing::v1::RETIRED);
  }

  absl::StatusOr<v1::PlanResponse> Finish() && {
    response_.set_revision(reader_.revision());
    RETURN_IF_ERROR(AddSteps(reader_, service_, moves_.pairs(), response_));
    moves_.MoveInto(response_);
    RETURN_IF_ERROR(AddEvidence(reader_, service_, response_));
    return std::move(response_);
  }

 private:
  static v1::PlannedMove MoveOf(const std::string& consumer, const std::string& method) {
    v1::PlannedMove move;
    move.set_consumer(consumer);
    move.set_method(method);
    return move;
  }

  // The answer, or what is wrong with the question.
  absl::Status Refused(const absl::Status& status) {
    if (!IsRefusal(status)) return status;
    response_.set_refusal(std::string(status.message()));
    response_.set_refusal_reason(model::ReasonOf(status));
    return absl::OkStatus();
  }

  template <typename Request>
  absl::Status PlanPin(Draft draft,
                       absl::StatusOr<v1::PinResponse> (*operation)(Draft&, const Request&),
                       const Request& request, const routing::v1::Pin& pin) {
    const auto made = operation(draft, request);
    if (!made.ok()) return Refused(made.status());
    response_.set_changes(made->changed());
    v1::PlannedMove move = MoveOf(pin.consumer(), pin.method());
    move.set_old_expression(made->old_expression());
    move.set_old_version(made->old_version());
    if (made->old_expression().empty()) {
      ASSIGN_OR_RETURN(const Unpinned now, WithoutThisPin(pin.consumer(), pin.method()));
      move.set_old_expression(now.expression);
      move.set_old_version(now.version);
    }
    move.set_new_expression(made->pin().pin().expression());
    move.set_new_version(made->pin().resolved_version());
    moves_.Add(std::move(move));
    return absl::OkStatus();
  }

  // What the version needs and does not have, and who needs what it ends.
  absl::Status NoteNeeds(const std::string& name) {
    v1::CheckDeploymentRequest ask;
    ask.set_service(service_);
    ask.set_name(name);
    ASSIGN_OR_RETURN(const v1::CheckDeploymentResponse found, CheckDeployment(reader_, ask));
    for (const v1::RequirementCheck& check : found.requirements()) {
      if (!check.satisfied_by().empty()) continue;
      response_.add_notes(absl::StrCat("it requires ", model::RequirementText(check.requirement()),
                                       ": ", check.message()));
    }
    *response_.mutable_blockers() = found.needed_by();
    return absl::OkStatus();
  }

  // A step of a database takes no calls, so it moves nobody.
  absl::Status ActivateStep(const v1::ActivateVersionRequest& request) {
    Draft draft(registry_, caller_);
    const auto made = ActivateVersion(draft, request);
    if (!made.ok()) return Refused(made.status());
    response_.set_changes(made->changed());
    if (made->ended_size() > 0) {
      response_.add_notes(absl::StrCat("it ends ", absl::StrJoin(made->ended(), ", "),
                                       " for good: migrate after it is active"));
    }
    return absl::OkStatus();
  }

  // Of a method: the pin for the service comes next.
  absl::StatusOr<Unpinned> WithoutThisPin(const std::string& consumer, const std::string& method) {
    if (!method.empty()) {
      ASSIGN_OR_RETURN(const auto whole,
                       reader_.Get<v1::Pin>(model::PinKey(consumer, service_, "")));
      if (whole.has_value()) {
        Unpinned unpinned{whole->value.pin().expression(), ""};
        ASSIGN_OR_RETURN(unpinned.version, ResolvedVersion(reader_, whole->value.pin()));
        return unpinned;
      }
    }
    return WithoutPin(reader_, service_, consumer);
  }

  absl::StatusOr<Meaning> MeaningOf(const std::string& expression) {
    ASSIGN_OR_RETURN(ExpressionMeaning meaning, service::MeaningOf(reader_, service_, expression));
    return Meaning([meaning = std::move(meaning)](const std::string& consumer) {
      return meaning.For(consumer);
    });
  }

  absl::Status FollowChannel(const std::string& channel, const Meaning& before,
                             const Meaning& after) {
    const std::string expression = absl::StrCat("@", channel);
    RETURN_IF_ERROR(moves_.AddPinsOn(expression, expression, before, after));
    return moves_.AddFollowersOf(channel, before, after);
  }

  // Of a channel, or its ramp, that calls can follow to the version from now on, or no more.
  absl::Status FollowChannelTo(const std::string& version, const std::string& channel, bool can) {
    ASSIGN_OR_RETURN(const Meaning with, MeaningOf(absl::StrCat("@", channel)));
    const Meaning without = [with, version](const std::string& consumer) {
      std::string meant = with(consumer);
      return meant == version ? std::string() : meant;
    };
    return FollowChannel(channel, can ? without : with, can ? with : without);
  }

  // Whom it moves that the version comes into another state.
  absl::Status ChangeState(const std::string& name, routing::v1::VersionState state) {
    ASSIGN_OR_RETURN(const auto record, RequireVersion(reader_, service_, name));
    Draft draft(registry_, caller_);
    VersionChange change{.command = "plan", .reason = ""};
    change.after = record.value.version().version();
    const bool was_led_to = model::CanBeChosen(change.after.state());
    change.after.set_state(state);
    ASSIGN_OR_RETURN(const auto made, ChangeVersion(draft, record.value, change));
    for (const v1::MovedExpression& moved : made.moved()) {
      RETURN_IF_ERROR(moves_.AddPinsOn(moved.expression(), moved.expression(),
                                       Always(moved.old_version()), Always(moved.new_version())));
    }
    const bool is_led_to = model::CanBeChosen(state);
    if (was_led_to != is_led_to) {
      for (const auto* channels : {&made.channels(), &made.ramped_channels()}) {
        for (const std::string& channel : *channels) {
          RETURN_IF_ERROR(FollowChannelTo(name, channel, is_led_to));
        }
      }
    }
    if (state != routing::v1::RETIRED) return absl::OkStatus();
    return moves_.AddPinsOn(name, name, Always(name), Always(""));
  }

  Registry& registry_;
  const Caller& caller_;
  Draft reader_;
  const std::string service_;
  PlannedMoves moves_;
  v1::PlanResponse response_;
};

absl::StatusOr<std::string> ServiceOf(const v1::PlanRequest& request) {
  switch (request.change_case()) {
    case v1::PlanRequest::kSetPin:
      return request.set_pin().pin().service();
    case v1::PlanRequest::kUnsetPin:
      return request.unset_pin().service();
    case v1::PlanRequest::kRollbackPin:
      return request.rollback_pin().service();
    case v1::PlanRequest::kMovePins:
      return request.move_pins().service();
    case v1::PlanRequest::kSetChannel:
      return request.set_channel().channel().service();
    case v1::PlanRequest::kRampChannel:
      return request.ramp_channel().service();
    case v1::PlanRequest::kDeprecateVersion:
      return request.deprecate_version().service();
    case v1::PlanRequest::kReactivateVersion:
      return request.reactivate_version().service();
    case v1::PlanRequest::kRetireVersion:
      return request.retire_version().service();
    case v1::PlanRequest::kActivateVersion:
      return request.activate_version().service();
    case v1::PlanRequest::CHANGE_NOT_SET:
      break;
  }
  return model::Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                        "a plan needs the change that is to be planned");
}

absl::Status PlanChange(Planner& planner, const v1::PlanRequest& request) {
  switch (request.change_case()) {
    case v1::PlanRequest::kSetPin:
      return planner.SetPin(request.set_pin());
    case v1::PlanRequest::kUnsetPin:
      return planner.UnsetPin(request.unset_pin());
    case v1::PlanRequest::kRollbackPin:
      return planner.RollbackPin(request.rollback_pin());
    case v1::PlanRequest::kMovePins:
      return planner.MovePins(request.move_pins());
    case v1::PlanRequest::kSetChannel:
      return planner.SetChannel(request.set_channel());
    case v1::PlanRequest::kRampChannel:
      return planner.RampChannel(request.ramp_channel());
    case v1::PlanRequest::kDeprecateVersion:
      return planner.Deprecate(request.deprecate_version());
    case v1::PlanRequest::kReactivateVersion:
      return planner.Reactivate(request.reactivate_version());
    case v1::PlanRequest::kRetireVersion:
      return planner.Retire(request.retire_version());
    case v1::PlanRequest::kActivateVersion:
      return planner.Activate(request.activate_version());
    case v1::PlanRequest::CHANGE_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::PlanResponse> Plan(Registry& registry, const Caller& caller,
                                      const v1::PlanRequest& request) {
  ASSIGN_OR_RETURN(std::string service, ServiceOf(request));
  Planner planner(registry, caller, std::move(service));
  RETURN_IF_ERROR(PlanChange(planner, request));
  return std::move(planner).Finish();
}

}  // namespace pinion::service
