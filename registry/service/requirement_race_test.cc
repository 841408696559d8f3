// Two changes in the same moment, of which only one may be: a version ends while another that needs
// it begins to live; two versions that need each other are published.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "registry/model/keys.h"
#include "registry/service/operations.h"
#include "registry/store/memory_store.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/interrupted_store.h"

namespace pinion::service {
namespace {

constexpr int kRounds = 400;

class RequirementRace : public ::testing::Test {
 protected:
  // Of `one` and `other` only one may succeed. First each comes between what the other has read and
  // its commit; then they run on two threads, again and again, as they happen to meet. Each round
  // prepares objects of its own.
  void Race(const std::function<void(int)>& prepare, const std::function<absl::Status(int)>& one,
            const std::function<absl::Status(int)>& other) {
    Interrupt(prepare, one, other, kRounds);
    Interrupt(prepare, other, one, kRounds + 1);
    RunTogether(prepare, one, other);
  }

  void Interrupt(const std::function<void(int)>& prepare,
                 const std::function<absl::Status(int)>& late,
                 const std::function<absl::Status(int)>& first, int round) {
    prepare(round);
    absl::Status won = absl::UnknownError("it did not run");
    store_.BeforeNextCommit([&won, &first, round] { won = first(round); });
    const absl::Status lost = late(round);
    EXPECT_TRUE(won.ok()) << won;
    EXPECT_FALSE(lost.ok()) << "somebody came first";
  }

  void RunTogether(const std::function<void(int)>& prepare,
                   const std::function<absl::Status(int)>& one,
                   const std::function<absl::Status(int)>& other) {
    const store::RangeRequest one_key{.range = store::KeyRange::Prefix(model::kRegistryKey)};
    // They spin, since who sleeps wakes up after the other is done.
    std::atomic<int> arrived = 0;
    const auto meet = [&arrived](int times) {
      ++arrived;
      while (arrived.load() < 2 * times) std::this_thread::yield();
    };
    absl::Status second;
    std::thread thread([&meet, &second, &other] {
      for (int i = 0; i < kRounds; ++i) {
        meet(2 * i + 1);
        second = other(i);
        meet(2 * i + 2);
      }
    });
    int won[2] = {};
    for (int i = 0; i < kRounds; ++i) {
      prepare(i);
      meet(2 * i + 1);
      for (int reads = i % 64; reads > 0; --reads) (void)store_.Range(one_key);
      const absl::Status first = one(i);
      meet(2 * i + 2);
      EXPECT_NE(first.ok(), second.ok()) << i << ": " << first << ", " << second;
      ++won[first.ok() ? 0 : 1];
    }
    thread.join();
    RecordProperty("first", won[0]);
    RecordProperty("second", won[1]);
  }

  absl::Status Publish(const std::string& service, const std::string& name,
                       const std::string& required = "", const std::string& expression = "",
                       const std::string& ends = "") {
    v1::PublishVersionRequest request;
    request.set_service(service);
    request.set_name(name);
    request.set_ends(ends);
    if (!required.empty()) {
      request.add_requirements()->set_service(required);
      request.mutable_requirements(0)->set_expression(expression);
    }
    return PublishVersion(*registry_, ann_, request).status();
  }
  absl::Status Register(const std::string& service, const std::string& name) {
    v1::RegisterInstanceRequest request;
    request.mutable_instance()->set_service(service);
    request.mutable_instance()->set_version(name);
    auto* address = request.mutable_instance()->mutable_address()->mutable_socket_address();
    address->set_address("127.0.0.1");
    address->set_port_value(9001);
    return RegisterInstance(*registry_, ann_, request).status();
  }
  absl::Status Activate(const std::string& service, const std::string& name) {
    v1::ActivateVersionRequest request;
    request.set_service(service);
    request.set_name(name);
    return service::Run(*registry_, ActivateVersion, ann_, request).status();
  }
  absl::Status Retire(const std::string& service, const std::string& name) {
    v1::RetireVersionRequest request;
    request.set_service(service);
    request.set_name(name);
    return RetireVersion(*registry_, ann_, request).status();
  }

  // A database with step 1, which is active, and step 2, which ends it; and a version that needs
  // step 1 and has no instance yet.
  void PrepareDatabase(int round) {
    v1::CreateServiceRequest create;
    create.mutable_service()->set_name(Database(round));
    create.mutable_service()->set_scheme(routing::v1::INTEGER);
    create.set_kind(v1::Service::DATABASE);
    ASSERT_TRUE(service::Run(*registry_, CreateService, ann_, create).ok());
    ASSERT_TRUE(Publish(Database(round), "1").ok());
    ASSERT_TRUE(Publish(Database(round), "2", "", "", "<2").ok());
    ASSERT_TRUE(Activate(Database(round), "1").ok());
    ASSERT_TRUE(Publish(Server(round), "1.0.0", Database(round), "1").ok());
  }
  static std::string Database(int round) { return absl::StrCat("db/", round); }
  static std::string Server(int round) { return absl::StrCat("server-", round); }

  testing::FakeClock clock_;
  store::MemoryStore memory_{clock_};
  testing::InterruptedStore store_{memory_};
  std::unique_ptr<Registry> registry_ = *Registry::Open(store_, clock_);
  const Caller ann_{"ann"};
};

TEST_F(RequirementRace, AStepDoesNotEndWhatBeginsToBeNeeded) {
  Race([this](int i) { PrepareDatabase(i); }, [this](int i) { return Activate(Database(i), "2"); },
       [this](int i) { return Register(Server(i), "1.0.0"); });
}

TEST_F(RequirementRace, NorIsAVersionRetiredThatBeginsToBeNeeded) {
  Race(
      [this](int i) {
        PrepareDatabase(i);
        v1::DeprecateVersionRequest request;
        request.set_service(Database(i));
        request.set_name("1");
        ASSERT_TRUE(service::Run(*registry_, DeprecateVersion, ann_, request).ok());
      },
      [this](int i) { return Retire(Database(i), "1"); },
      [this](int i) { return Register(Server(i), "1.0.0"); });
}

// Of two that satisfy a requirement one must stay.
TEST_F(RequirementRace, TheLastTwoAreNotRetiredAtOnce) {
  Race(
      [this](int i) {
        PrepareDatabase(i);
        ASSERT_TRUE(Publish(Database(i), "3").ok());
        ASSERT_TRUE(Activate(Database(i), "3").ok());
        ASSERT_TRUE(Publish(Server(i), "2.0.0", Database(i), "1 || 3").ok());
        ASSERT_TRUE(Register(Server(i), "2.0.0").ok());
        for (const char* step : {"1", "3"}) {
          v1::DeprecateVersionRequest request;
          request.set_service(Database(i));
          request.set_name(step);
          ASSERT_TRUE(service::Run(*registry_, DeprecateVersion, ann_, request).ok());
        }
      },
      [this](int i) { return Retire(Database(i), "1"); },
      [this](int i) { return Retire(Database(i), "3"); });
}

TEST_F(RequirementRace, TwoThatNeedEachOtherDoNotComeAtOnce) {
  const auto a = [](int i) { return absl::StrCat("a-", i); };
  const auto b = [](int i) { return absl::StrCat("b-", i); };
  Race(
      [&](int i) {
        ASSERT_TRUE(Publish(a(i), "0.1.0").ok());
        ASSERT_TRUE(Publish(b(i), "0.1.0").ok());
      },
      [&](int i) { return Publish(a(i), "1.0.0", b(i), "^1"); },
      [&](int i) { return Publish(b(i), "1.0.0", a(i), "^1"); });
}

}  // namespace
}  // namespace pinion::service
