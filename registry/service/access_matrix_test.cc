// Every method × every kind of caller × every object that it may be about, by real calls. What must
// come out is said here once more, in words of its own, and not taken from the table of rules.
//
// A request is made so that it changes nothing where it is let through: it names a revision that no
// object is at, or leaves out what the operation needs. So the state is the same for each cell.
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/dynamic_message.h"
#include "tests/testing/access_world.h"
#include "tests/testing/registry_methods.h"

namespace pinion::service {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// Who may call what; a name that ends in * stands for all that begin so. "own": of objects that the
// caller owns, or of the consumer that it is.
const std::vector<std::pair<std::string, std::string>> kSpecification = {
    {"everybody", "WhoAmI"},
    {"any role",
     "GetService GetVersion GetVersionSchema GetConsumer GetPin GetJob GetChannel GetEntitlement "
     "GetStatus GetRouting CheckDeployment Plan ListServices ListVersions ListRetirementBlockers "
     "ListInstances "
     "ListConsumers ListPins ListPinHistory ListJobs ListChannels ListEntitlements ListUsage "
     "ListGateways"},
    {"reader", "ListAuditRecords GetAuditHead ReadAuditLog ListGrants ListTokens"},
    {"gateway", "Watch ProposePins ReportGateway"},
    {"owner, to create", "CreateService PublishVersion CreateConsumer"},
    {"owner, own",
     "UpdateService DeprecateVersion ReactivateVersion RetireVersion DeleteVersion "
     "ActivateVersion RegisterInstance RenewInstance DeregisterInstance CheckInstance SetChannel "
     "RampChannel "
     "SetEntitlement UnsetEntitlement UpdateConsumer"},
    {"pins, own", "SetPin UnsetPin RollbackPin StartJob CancelJob"},
    {"operator",
     "TrimAuditLog ReadBackup MigrateStore ForgetGateway AddGrant RemoveGrant CreateToken "
     "RevokeToken"}};

// Whose a method is; empty: it is not specified.
std::string WhoseIs(const std::string& method) {
  std::string found;
  for (const auto& [who, methods] : kSpecification) {
    for (absl::string_view word : absl::StrSplit(methods, ' ')) {
      const bool prefix = absl::ConsumeSuffix(&word, "*");
      if (!(prefix ? absl::StartsWith(method, word) : method == word)) continue;
      EXPECT_EQ(found, "") << method << " is specified twice";
      found = who;
    }
  }
  return found;
}

enum class Thing { kNone, kOfA, kOfB, kAbsent, kAbsentOfA, kAllPins };
const std::map<Thing, std::string> kThingNames = {{Thing::kNone, "nothing"},
                                                  {Thing::kOfA, "of A"},
                                                  {Thing::kOfB, "of B"},
                                                  {Thing::kAbsent, "absent"},
                                                  {Thing::kAbsentOfA, "absent, A's"},
                                                  {Thing::kAllPins, "all pins"}};

struct Person {
  std::string name;
  std::string token;
  bool authenticated = true;
  std::set<std::string> roles;  // words of this test
};

class AccessMatrixTest : public AccessWorld {
 protected:
  void SetUp() override {
    Start();
    for (const std::string who : {"a", "b"}) {
      CreateService(who + "/svc", "team-" + who);
      CreateConsumer("name: '" + who + "/app'", "team-" + who);
      v1::RegisterInstanceRequest request;
      v1::PublishVersionRequest publish;
      publish.set_service(who + "/svc");
      publish.set_name("1.0.0");
      Prepare(Registry("PublishVersion"), publish);
      Job(who, "set_pin { pin { consumer: '" + who + "/app' service: 'a/svc' expression: '^1' } }");
    }
    Job("all", "move_pins { service: 'a/svc' from: '^1' to: '^2' }");
    Grant("subject: 'token:reader' role: READER");
    Grant("subject: 'token:gateway' role: GATEWAY");
    Grant("subject: 'token:operator' role: OPERATOR");
    Grant("subject: 'token:consumer-a' role: CONSUMER name: 'a/app'");
    Grant("subject: 'token:owner-a' role: OWNER name: 'team-a' creates: 'a/*'");
    Grant("subject: 'token:owner-b' role: OWNER name: 'team-b' creates: 'b/*'");
    Grant("subject: 'token:both' role: OWNER name: 'team-b'");
    Grant("subject: 'token:both' role: CONSUMER name: 'a/app'");
    const std::string expired = NewToken("expired", absl::Seconds(60));
    clock_.Advance(absl::Seconds(61));
    people_ = {
        {"no credential", "", false, {}},
        {"a token that nobody made", "pinion_0123", false, {}},
        {"an expired token", expired, false, {}},
        {"a revoked token", NewToken("revoked"), false, {}},
        {"no role", NewToken("nobody"), true, {}},
        {"reader", NewToken("reader"), true, {"reader"}},
        {"gateway", NewToken("gateway"), true, {"gateway"}},
        {"consumer of A", NewToken("consumer-a"), true, {"pins a"}},
        {"owner of A", NewToken("owner-a"), true, {"owns a", "pins a", "creates a"}},
        {"owner of B", NewToken("owner-b"), true, {"owns b", "pins b", "creates b"}},
        {"owner of B and consumer of A", NewToken("both"), true, {"owns b", "pins b", "pins a"}},
        {"operator", NewToken("operator"), true, {"operator"}}};
    Prepare(Access("RevokeToken"), FromText<v1::RevokeTokenRequest>("name: 'revoked'"));
  }

  void Job(const std::string& key, const std::string& change) {
    auto request = FromText<v1::StartJobRequest>(change);
    request.mutable_start_time()->set_seconds(absl::ToUnixSeconds(clock_.Wall()) + 86400);
    v1::Job job;
    Prepare(Registry("StartJob"), request, &job);
    jobs_[key] = job.id();
  }
  std::string InstanceOf(const std::string& who) {
    if (!instances_[who].empty()) return instances_[who];
    v1::RegisterInstanceRequest request;
    request.mutable_instance()->set_service(who + "/svc");
    request.mutable_instance()->set_version("1.0.0");
    auto* address = request.mutable_instance()->mutable_address()->mutable_socket_address();
    address->set_address("127.0.0.1");
    address->set_port_value(who == "a" ? 9001 : 9002);
    v1::RegisterInstanceResponse response;
    Prepare(Registry("RegisterInstance"), request, &response);
    return instances_[who] = response.instance().instance().uid();
  }

  // Objects that a method may be about.
  static std::vector<Thing> ThingsOf(const std::string& method) {
    if (!absl::StrContains(WhoseIs(method), ", ")) return {Thing::kNone};
    std::vector<Thing> things = {Thing::kOfA, Thing::kOfB, Thing::kAbsent, Thing::kAbsentOfA};
    if (absl::EndsWith(method, "Job")) things.push_back(Thing::kAllPins);
    return things;
  }

  // "a/svc", or what stands for it.
  static std::string Name(Thing thing, const std::string& kind) {
    switch (thing) {
      case Thing::kOfA:
        return "a/" + kind;
      case Thing::kOfB:
        return "b/" + kind;
      case Thing::kAbsentOfA:
        return "a/absent";
      default:
        return "absent";
    }
  }

  static bool Expected(const std::string& method, const Person& person, Thing thing) {
    const std::string whose = WhoseIs(method);
    if (whose == "everybody" || person.roles.contains("operator")) return true;
    if (whose == "any role") return !person.roles.empty();
    if (whose == "reader" || whose == "gateway") return person.roles.contains(whose);
    if (whose == "operator" || thing == Thing::kAllPins) return false;
    if (thing == Thing::kAbsent || thing == Thing::kAbsentOfA) {
      if (whose != "owner, to create") return !person.roles.empty();
      return thing == Thing::kAbsentOfA && person.roles.contains("creates a");
    }
    const std::string right = whose == "pins, own" ? "pins" : "owns";
    return person.roles.contains(right + (thing == Thing::kOfA ? " a" : " b"));
  }

  // Fills what names the object, and a revision that nothing is at.
  void Fill(Message& request, const std::string& method, Thing thing) {
    const bool pins = WhoseIs(method) == "pins, own" || absl::StrContains(method, "Consumer");
    if (method == "StartJob")
      return FillChange(*static_cast<v1::StartJobRequest*>(&request), thing);
    if (method == "CancelJob") {
      static_cast<v1::CancelJobRequest*>(&request)->set_id(JobOf(thing));
      return;
    }
    const auto* descriptor = request.GetDescriptor();
    const auto* reflection = request.GetReflection();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      if (field->name() == "expected_revision") reflection->SetInt64(&request, field, 987654);
      if (field->name() == "uid") reflection->SetString(&request, field, Uid(thing));
    }
    const std::string name = Name(thing, pins ? "app" : "svc");
    SetName(request, pins ? "consumer" : "service", name);
    if (method == "UpdateService") static_cast<v1::UpdateServiceRequest*>(&request)->set_name(name);
    if (method == "CreateConsumer") {
      static_cast<v1::CreateConsumerRequest*>(&request)->set_description(std::string(5000, 'x'));
    }
  }
  // In the request's own field of this name, in a message of this name, or in one that has it.
  static void SetName(Message& request, const std::string& what, const std::string& name) {
    for (int i = 0; i < request.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = request.GetDescriptor()->field(i);
      if (field->is_repeated()) continue;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && field->name() == what) {
        request.GetReflection()->SetString(&request, field, name);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const FieldDescriptor* inner =
            field->message_type()->FindFieldByName(field->name() == what ? "name" : what);
        if (inner == nullptr || inner->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
        Message* nested = request.GetReflection()->MutableMessage(&request, field);
        nested->GetReflection()->SetString(nested, inner, name);
      }
    }
  }
  void FillChange(v1::StartJobRequest& request, Thing thing) {
    if (thing == Thing::kAllPins) {
      request.mutable_move_pins()->set_service("absent");
    } else {
      request.mutable_set_pin()->mutable_pin()->set_consumer(Name(thing, "app"));
    }
  }
  int64_t JobOf(Thing thing) {
    switch (thing) {
      case Thing::kOfA:
        return jobs_["a"];
      case Thing::kOfB:
        return jobs_["b"];
      case Thing::kAllPins:
        return jobs_["all"];
      default:
        return 4711;
    }
  }
  std::string Uid(Thing thing) {
    if (thing == Thing::kOfA) return InstanceOf("a");
    if (thing == Thing::kOfB) return InstanceOf("b");
    return "absent";
  }

  std::string Outcome(const std::shared_ptr<grpc::Channel>& channel, const MethodDescriptor& method,
                      const Message& request, const std::string& token) {
    if (!method.server_streaming()) {
      return OutcomeOf(Call(channel, method.full_name(), request, nullptr, token));
    }
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    const auto stub = v1::Registry::NewStub(channel);
    if (method.name() == "ReadAuditLog") {
      return Begun<v1::AuditLogPart>(context, *stub->ReadAuditLog(&context, {}));
    }
    if (method.name() == "ReadBackup") {
      return Begun<v1::BackupPart>(context, *stub->ReadBackup(&context, {}));
    }
    const auto request_of = FromText<v1::WatchRequest>("gateway_id: 'edge'");
    return Begun<v1::WatchResponse>(
        context, *v1::RoutingWatch::NewStub(channel)->Watch(&context, request_of));
  }
  // "OK" as soon as a stream says something.
  template <typename Part>
  static std::string Begun(grpc::ClientContext& context, grpc::ClientReader<Part>& stream) {
    Part part;
    const bool said = stream.Read(&part);
    if (said) context.TryCancel();
    const grpc::Status status = stream.Finish();
    return said ? "OK" : OutcomeOf(status);
  }

  std::vector<Person> people_;
  std::map<std::string, int64_t> jobs_;
  std::map<std::string, std::string> instances_;
};

TEST_F(AccessMatrixTest, EachMayDoWhatIsTheirsAndNothingElse) {
  const std::shared_ptr<grpc::Channel> channel = Connect();
  int cells = 0, passed = 0;
  for (const MethodDescriptor* method : testing::AllRegistryMethods()) {
    ASSERT_NE(WhoseIs(method->name()), "") << method->name() << " is not in the specification";
    const Message* prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(method->input_type());
    for (const Thing thing : ThingsOf(method->name())) {
      for (const Person& person : people_) {
        const std::unique_ptr<Message> request(prototype->New());
        if (thing != Thing::kNone) Fill(*request, method->name(), thing);
        const std::string outcome = Outcome(channel, *method, *request, person.token);
        const std::string cell = absl::StrCat(method->name(), ", ", kThingNames.at(thing), ", by ",
                                              person.name, ": ", outcome);
        ++cells;
        if (!person.authenticated) {
          const char* reason = person.token.empty() ? "CREDENTIAL_REQUIRED" : "CREDENTIAL_INVALID";
          EXPECT_EQ(outcome, absl::StrCat("UNAUTHENTICATED ", reason)) << cell;
        } else if (Expected(method->name(), person, thing)) {
          EXPECT_NE(outcome, "PERMISSION_DENIED ACCESS_DENIED") << cell;
          EXPECT_FALSE(absl::StartsWith(outcome, "UNAUTHENTICATED")) << cell;
          EXPECT_FALSE(absl::StartsWith(outcome, "UNIMPLEMENTED")) << cell;
          ++passed;
        } else {
          EXPECT_EQ(outcome, "PERMISSION_DENIED ACCESS_DENIED") << cell;
        }
        if (method->name() == "DeregisterInstance" && outcome == "OK") instances_.clear();
      }
    }
  }
  std::cout << "methods " << testing::AllRegistryMethods().size() << ", callers " << people_.size()
            << ", cells " << cells << ", let through " << passed << "\n";
  EXPECT_GT(cells, 1000);
}

}  // namespace
}  // namespace pinion::service
