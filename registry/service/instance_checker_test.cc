// The checks with a question that the test answers; over gRPC they are asked in
// registry/probe/instance_probe_test.cc.
#include "registry/service/instance_checker.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "gmock/gmock.h"
#include "registry/model/keys.h"
#include "registry/service/watch_hub.h"
#include "registry/store/forwarding_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using v1::InstanceCheck;

constexpr char kSchemaService[] = "acme.AddressBook";

google::protobuf::FileDescriptorSet Shown(int field) {
  google::protobuf::FileDescriptorSet set;
  EXPECT_TRUE(set.ParseFromString(DescriptorSetOf({kSchemaService}, field)));
  return set;
}

probe::Answer Serving(int field = 1) { return {.shown = Shown(field)}; }
probe::Answer WithoutReflection() {
  return {.shown = absl::UnimplementedError("offers no reflection")};
}
probe::Answer NotServing() {
  probe::Answer answer = Serving();
  answer.not_serving = "says that it does not serve";
  return answer;
}
probe::Answer Unreachable() {
  return {.reached = absl::UnavailableError("does not answer the registry: Connection refused")};
}

// A store that the first reads of a key do not reach.
class AwayAtFirst : public store::ForwardingStore {
 public:
  AwayAtFirst(store::Store& store, std::string key)
      : ForwardingStore(store), key_(std::move(key)) {}

  absl::StatusOr<store::Pairs> ReadKeys(const std::vector<std::string>& keys,
                                        store::Revision revision) override {
    if (std::count(keys.begin(), keys.end(), key_) > 0 && left_-- > 0) {
      return absl::UnavailableError("the store is away");
    }
    return ForwardingStore::ReadKeys(keys, revision);
  }

 private:
  const std::string key_;
  std::atomic<int> left_ = 3;
};

class InstanceCheckerTest : public RegistryFixture {
 protected:
  InstanceCheckerTest() { Ask(std::nullopt); }

  void Ask(const std::optional<CheckerOptions>& options) {
    checker_ = std::make_unique<InstanceChecker>(
        *registry_, [this](const probe::Question& question) { return Answer(question); }, options);
  }
  probe::Answer Answer(const probe::Question&) {
    MutexLock lock(&mutex_);
    return answer_;
  }
  void Answers(probe::Answer answer) {
    MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }

  // What the threads do follows at once, although the clock stands still.
  static CheckerOptions Soon() {
    return {.checks_at_once = 2,
            .period = absl::Milliseconds(5),
            .recording_delay = absl::ZeroDuration()};
  }

  // addressbook 1.0.0, published, and an instance of it, by its uid.
  std::string SetUpInstance(const std::string& policy, int lease_seconds = 0) {
    EXPECT_TRUE(Publish("addressbook", "1.0.0", DescriptorSetOf({kSchemaService})).ok());
    Verify(policy);
    return RegisterOne(lease_seconds);
  }
  void Verify(const std::string& policy) {
    EXPECT_TRUE(Call(UpdateService, "name: 'addressbook' verification: " + policy).ok());
  }
  std::string RegisterOne(int lease_seconds = 0) {
    const auto made = Register("addressbook", "1.0.0", 9001, lease_seconds);
    EXPECT_TRUE(made.ok()) << made.status();
    return made->instance().instance().uid();
  }
  v1::CheckInstanceResponse Check(const std::string& uid) {
    v1::CheckInstanceRequest request;
    request.set_uid(uid);
    const auto response = checker_->CheckNow(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.value_or(v1::CheckInstanceResponse());
  }
  // "READY", "NOT_SERVING, held back": what stands after one more check with this answer.
  std::string After(probe::Answer answer, const std::string& uid) {
    Answers(std::move(answer));
    return Text(Check(uid).instance().check());
  }
  static std::string Text(const InstanceCheck& check) {
    return absl::StrCat(InstanceCheck::Verdict_Name(check.verdict()),
                        check.held_back() ? ", held back" : "");
  }
  // How many instances gateways know.
  int Routable() {
    int count = 0;
    const auto routing = Call(GetRouting, "service: 'addressbook'");
    for (const auto& resource : routing->resources()) {
      count += resource.has_instance() ? 1 : 0;
    }
    return count;
  }
  v1::Version TheVersion() { return *Call(GetVersion, "service: 'addressbook' name: '1.0.0'"); }
  // Waits for the store to say so of the instance.
  void WaitFor(const std::string& uid, const std::string& text) {
    const std::string key = model::InstanceKey("addressbook", "1.0.0", uid);
    const auto watcher = store_.Watch(store::KeyRange::Single(key), 0);
    // Each change of the store may end a wait, also of other keys.
    for (int i = 0; i < 1000; ++i) {
      const auto batch = watcher->Next(absl::Seconds(1));
      ASSERT_TRUE(batch.ok()) << batch.status();
      for (const store::Event& event : batch->events) {
        v1::Instance instance;
        ASSERT_TRUE(instance.ParseFromString(event.kv.value));
        if (Text(instance.check()) == text) return;
      }
    }
    FAIL() << "never " << text;
  }

  Mutex mutex_;
  probe::Answer answer_ ABSL_GUARDED_BY(mutex_) = Serving();
  std::unique_ptr<InstanceChecker> checker_;
};

TEST_F(InstanceCheckerTest, UnderEnforceCallsWaitForProofAndActivationComesWithIt) {
  const std::string uid = SetUpInstance("ENFORCE");
  EXPECT_EQ(Routable(), 0);
  EXPECT_EQ(TheVersion().version().state(), routing::v1::PUBLISHED);
  EXPECT_EQ(After(Unreachable(), uid), "VERDICT_UNSPECIFIED, held back");
  EXPECT_EQ(After(WithoutReflection(), uid), "UNPROVEN, held back");
  EXPECT_EQ(After(Serving(), uid), "READY");
  EXPECT_EQ(Routable(), 1);
  EXPECT_EQ(TheVersion().version().state(), routing::v1::ACTIVE);
  const auto channel = Call(GetChannel, "service: 'addressbook' name: 'stable'");
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(channel->channel().version(), "1.0.0");
  EXPECT_EQ(channel->meta().revision(), TheVersion().meta().revision());
  const v1::AuditRecord audit = NewestAudit();
  EXPECT_EQ(audit.command(), "instance.check");
  EXPECT_EQ(audit.actor(), "registry");
  EXPECT_EQ(audit.object(), "addressbook 1.0.0 127.0.0.1:9001");
  EXPECT_EQ(audit.revision(), TheVersion().meta().revision()) << "one transaction for all";
}

TEST_F(InstanceCheckerTest, AnInstanceWithAnotherSchemaIsNotLetIn) {
  const std::string uid = SetUpInstance("ENFORCE");
  Answers(Serving(/*field=*/2));
  const v1::CheckInstanceResponse response = Check(uid);
  EXPECT_EQ(Text(response.instance().check()), "DRIFTED, held back");
  EXPECT_EQ(response.message(),
            "does not have the schema of addressbook 1.0.0: field acme.AddressBookMessage.text has "
            "number 2 instead of 1");
  EXPECT_THAT(response.differences(),
              ElementsAre("field acme.AddressBookMessage.text has number 2 instead of 1"));
  EXPECT_EQ(TheVersion().version().state(), routing::v1::PUBLISHED);
  // The right one at the same address is another server only if it is registered with a lease.
  EXPECT_EQ(After(Serving(), uid), "READY");
}

TEST_F(InstanceCheckerTest, DriftFoundLaterTakesOutAndNeverResolvesAnew) {
  const std::string uid = SetUpInstance("ENFORCE");
  EXPECT_EQ(After(Serving(), uid), "READY");
  EXPECT_EQ(After(Serving(2), uid), "READY") << "once may be an accident";
  EXPECT_EQ(After(Serving(2), uid), "DRIFTED, held back");
  EXPECT_EQ(Routable(), 0);
  EXPECT_EQ(TheVersion().version().state(), routing::v1::ACTIVE);
  EXPECT_EQ(After(Unreachable(), uid), "DRIFTED, held back");
  EXPECT_EQ(After(Serving(), uid), "READY");
  EXPECT_EQ(Routable(), 1);
}

TEST_F(InstanceCheckerTest, WhoCannotBeReachedStaysIn) {
  const std::string uid = SetUpInstance("ENFORCE");
  EXPECT_EQ(After(Serving(), uid), "READY");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(After(Unreachable(), uid), "READY");
  EXPECT_EQ(After(Unreachable(), uid), "UNREACHABLE");
  EXPECT_EQ(Routable(), 1);
  EXPECT_EQ(After(WithoutReflection(), uid), "UNREACHABLE");
  EXPECT_EQ(After(WithoutReflection(), uid), "UNPROVEN") << "what it has shown once counts";
  EXPECT_EQ(Routable(), 1);
}

TEST_F(InstanceCheckerTest, WarnLetsInAtOnceAndListensToWhatTheServerSaysOfItself) {
  const std::string uid = SetUpInstance("WARN");
  EXPECT_EQ(Routable(), 1);
  EXPECT_EQ(TheVersion().version().state(), routing::v1::ACTIVE);
  EXPECT_EQ(After(Serving(2), uid), "DRIFTED");
  EXPECT_EQ(Routable(), 1);
  EXPECT_EQ(After(NotServing(), uid), "DRIFTED");
  EXPECT_EQ(After(NotServing(), uid), "NOT_SERVING, held back");
  EXPECT_EQ(Routable(), 0);
  EXPECT_EQ(After(Serving(), uid), "NOT_SERVING, held back");
  EXPECT_EQ(After(Serving(), uid), "READY");
  EXPECT_EQ(Routable(), 1);
}

TEST_F(InstanceCheckerTest, WithoutNewsThereIsNoRevision) {
  const std::string uid = SetUpInstance("ENFORCE");
  EXPECT_EQ(After(Serving(), uid), "READY");
  const store::Revision before = store_.revision();
  for (int i = 0; i < 20; ++i) Check(uid);
  After(NotServing(), uid);
  After(Serving(), uid);
  EXPECT_EQ(store_.revision(), before);
}

TEST_F(InstanceCheckerTest, APolicyThatAsksForLessLetsIn) {
  const std::string uid = SetUpInstance("ENFORCE");
  EXPECT_EQ(After(WithoutReflection(), uid), "UNPROVEN, held back");
  Verify("WARN");
  EXPECT_EQ(After(WithoutReflection(), uid), "UNPROVEN");
  EXPECT_EQ(TheVersion().version().state(), routing::v1::ACTIVE);
  Verify("ENFORCE");
  EXPECT_EQ(After(WithoutReflection(), uid), "UNPROVEN") << "what is in goes by evidence only";
  Answers(NotServing());
  Check(uid);
  EXPECT_TRUE(Check(uid).instance().check().held_back());
  Verify("OFF");
  EXPECT_FALSE(Check(uid).instance().has_check());
  EXPECT_EQ(Routable(), 1);
}

TEST_F(InstanceCheckerTest, AVersionWithoutASchemaNeedsOnlyToServe) {
  ASSERT_TRUE(Publish("addressbook", "1.0.0").ok());
  Verify("ENFORCE");
  const std::string uid = RegisterOne();
  EXPECT_EQ(After(probe::Answer(), uid), "READY");
}

TEST_F(InstanceCheckerTest, ALeaseStaysAttached) {
  const std::string uid = SetUpInstance("ENFORCE", /*lease_seconds=*/10);
  EXPECT_EQ(After(Serving(), uid), "READY");
  clock_.Advance(absl::Seconds(11));
  EXPECT_EQ(*ExpireLeases(*registry_), 1);
  EXPECT_EQ(Routable(), 0);
  v1::CheckInstanceRequest request;
  request.set_uid(uid);
  EXPECT_EQ(Outcome(checker_->CheckNow(request).status()), "NOT_FOUND INSTANCE_UNKNOWN");
  EXPECT_THAT(RegisterOne(10), ::testing::Ne(uid));
  EXPECT_EQ(Routable(), 0) << "a new server waits for its own check";
}

TEST_F(InstanceCheckerTest, OneOfTwoRegistriesChecksAndTheOtherTakesOver) {
  const auto other_registry = *Registry::Open(store_, clock_);
  std::atomic<int> asked_by_other = 0;
  const CheckerOptions options = Soon();
  Ask(options);
  const std::string uid = SetUpInstance("ENFORCE");
  WaitFor(uid, "READY");
  const InstanceChecker other(
      *other_registry,
      [&asked_by_other](const probe::Question&) {
        ++asked_by_other;
        return NotServing();
      },
      options);
  // Whoever holds the claim goes on, also with instances that both have seen come.
  for (const int port : {9002, 9003}) {
    WaitFor(Register("addressbook", "1.0.0", port)->instance().instance().uid(), "READY");
  }
  EXPECT_EQ(asked_by_other, 0);
  checker_.reset();
  const std::string fourth = Register("addressbook", "1.0.0", 9004)->instance().instance().uid();
  WaitFor(fourth, "NOT_SERVING, held back");
  EXPECT_GT(asked_by_other, 0);
}

TEST_F(InstanceCheckerTest, ManyThatCannotBeReachedAreFewRevisionsAndFewLines) {
  constexpr int kInstances = 2000;
  Answers(Unreachable());
  ASSERT_TRUE(Publish("addressbook", "1.0.0", DescriptorSetOf({kSchemaService})).ok());
  for (int i = 0; i < kInstances; ++i) ASSERT_TRUE(Register("addressbook", "1.0.0", 1 + i).ok());
  const store::Revision before = store_.revision();
  WatchHub hub(*registry_, {.heartbeat = absl::Milliseconds(1)});
  v1::WatchRequest follow;
  follow.set_registry_id(registry_->id());
  follow.set_from_revision(before);
  const auto gateway = *hub.Subscribe(follow, "gateway", [] {});

  ::testing::internal::CaptureStderr();
  Ask(CheckerOptions{.checks_at_once = 4, .period = absl::Milliseconds(5)});
  int unreachable = 0;
  const auto watcher = store_.Watch(store::KeyRange::Prefix(model::kInstances), before);
  while (unreachable < kInstances) {
    const auto batch = watcher->Next(absl::Milliseconds(50));
    ASSERT_TRUE(batch.ok()) << batch.status();
    unreachable += static_cast<int>(batch->events.size());
    if (!batch->events.empty()) continue;
    // They are asked again, three times in all; the last of them fill no transaction.
    clock_.Advance(absl::Milliseconds(500));
    ASSERT_TRUE(ExpireLeases(*registry_).ok());
  }
  const store::Revision after = store_.revision();
  checker_.reset();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_LT(after - before, kInstances / 10);
  EXPECT_LE(std::count(log.begin(), log.end(), '\n'), 10) << log;
  EXPECT_THAT(log, HasSubstr("instances of addressbook are unreachable; for example 1.0.0 127"));
  EXPECT_EQ(NewestAudit().command(), "instance.check");
  EXPECT_EQ(Routable(), kInstances);
  // Nobody is told of what changes no calls.
  for (store::Revision at = before; at < after;) {
    const auto message = gateway->Next();
    ASSERT_TRUE(message.ok()) << message.status();
    ASSERT_TRUE(message->has_progress()) << message->ShortDebugString();
    at = message->progress().revision();
  }
}

TEST_F(InstanceCheckerTest, AFindingThatSomebodyElseWasFasterWithIsDropped) {
  const std::string uid = SetUpInstance("ENFORCE");
  EXPECT_EQ(After(Serving(), uid), "READY");
  const v1::Instance checked = Check(uid).instance();
  const News drifted{checked, {.verdict = InstanceCheck::DRIFTED, .message = "is another"}};
  const News unproven{checked, {.verdict = InstanceCheck::UNPROVEN, .message = "shows nothing"}};
  EXPECT_EQ(Text(PutFindings(*registry_, {drifted})[0]->check()), "DRIFTED, held back");
  EXPECT_EQ(Text(PutFindings(*registry_, {unproven})[0]->check()), "DRIFTED, held back");
}

TEST_F(InstanceCheckerTest, OneRevisionForMany) {
  std::vector<News> news;
  const std::string first = SetUpInstance("WARN");
  for (const int port : {9002, 9003}) ASSERT_TRUE(Register("addressbook", "1.0.0", port).ok());
  const auto list = Call(ListInstances, "service: 'addressbook'");
  for (const v1::Instance& one : list->instances()) {
    news.push_back({one, {.verdict = InstanceCheck::NOT_SERVING, .message = "does not serve"}});
  }
  ASSERT_EQ(news.size(), 3);
  ASSERT_TRUE(Call(DeregisterInstance, "uid: '" + first + "'").ok());
  const store::Revision before = store_.revision();
  int gone = 0;
  for (const auto& instance : PutFindings(*registry_, news)) {
    gone += absl::IsNotFound(instance.status()) ? 1 : 0;
    if (instance.ok()) {
      EXPECT_EQ(instance->meta().revision(), before + 1);
    }
  }
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(store_.revision(), before + 1);
  EXPECT_EQ(Routable(), 0);
}

TEST_F(InstanceCheckerTest, EachThatMakesAVersionActiveIsARevisionOfItsOwn) {
  std::vector<News> news;
  for (const char* const version : {"1.0.0", "1.1.0"}) {
    ASSERT_TRUE(Publish("addressbook", version, DescriptorSetOf({kSchemaService})).ok());
  }
  Verify("ENFORCE");
  for (const char* const version : {"1.0.0", "1.1.0", "1.1.0"}) {
    const auto made = Register("addressbook", version, 9001 + static_cast<int>(news.size()));
    news.push_back({made->instance(), {.verdict = InstanceCheck::READY}});
  }
  const store::Revision before = store_.revision();
  for (const auto& instance : PutFindings(*registry_, news)) {
    EXPECT_EQ(Text(instance.value().check()), "READY");
  }
  EXPECT_EQ(store_.revision(), before + 3);
  EXPECT_EQ(Routable(), 3);
  EXPECT_EQ(TheVersion().version().state(), routing::v1::ACTIVE);
}

TEST_F(InstanceCheckerTest, AnInstanceThatTheStoreKeptFromItsCheckIsCheckedLater) {
  const std::string uid = SetUpInstance("ENFORCE");
  AwayAtFirst store(store_, model::ServiceKey("addressbook"));
  const auto registry = Registry::Open(store, clock_);
  ASSERT_TRUE(registry.ok()) << registry.status();
  CheckerOptions options = Soon();
  options.times.health_interval = absl::ZeroDuration();  // the clock stands still
  const InstanceChecker checker(
      **registry, [this](const probe::Question& question) { return Answer(question); }, options);
  WaitFor(uid, "READY");
}

TEST_F(InstanceCheckerTest, AnotherPolicyIsFollowedWithoutWaiting) {
  Ask(Soon());
  Answers(WithoutReflection());
  const std::string uid = SetUpInstance("ENFORCE");
  WaitFor(uid, "UNPROVEN, held back");
  Verify("WARN");
  WaitFor(uid, "UNPROVEN");
}

}  // namespace
}  // namespace pinion::service
