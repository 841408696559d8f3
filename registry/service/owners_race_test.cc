// Two owners at the same moment: one of them wins, the other is told why, and nothing is half done.
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

constexpr int kRounds = 1000;

class OwnersRaceTest : public RegistryFixture {
 protected:
  // What protobuf makes when it first reads a schema is made before there are threads: its library
  // is not instrumented, so a sanitizer cannot see that it does so safely.
  void SetUp() override {
    ASSERT_TRUE(Publish("first", "1.0.0", DescriptorSetOf({"acme.First"})).ok());
  }

  // What becomes of `act(round, who)` for two at once, sorted, of each round.
  template <typename Act>
  void Race(const std::array<std::string, 2>& expected, Act act) {
    std::vector<std::array<std::string, 2>> outcomes(kRounds);
    // They spin, since who sleeps wakes up after the other is done.
    std::atomic<int> arrived = 0;
    const auto run = [&](size_t who) {
      for (int round = 0; round < kRounds; ++round) {
        ++arrived;
        while (arrived.load() < 2 * (round + 1)) std::this_thread::yield();
        outcomes[static_cast<size_t>(round)][who] = Outcome(act(round, who));
      }
    };
    std::thread other(run, 1);
    run(0);
    other.join();
    for (auto& outcome : outcomes) {
      std::sort(outcome.begin(), outcome.end());
      EXPECT_EQ(outcome, expected);
    }
  }
};

TEST_F(OwnersRaceTest, OneNameGetsOneSchema) {
  Race({"ALREADY_EXISTS VERSION_EXISTS", "OK"}, [this](int round, size_t who) {
    return Publish(absl::StrCat("book-", round), "1.0.0",
                   DescriptorSetOf({absl::StrCat("acme.Book", round)}, static_cast<int>(who) + 1))
        .status();
  });
}

TEST_F(OwnersRaceTest, OneGrpcServiceGetsOneOwner) {
  Race({"ALREADY_EXISTS GRPC_SERVICE_TAKEN", "OK"}, [this](int round, size_t who) {
    return Publish(absl::StrCat("book-", round, "-", who), "1.0.0",
                   DescriptorSetOf({absl::StrCat("acme.Book", round)}))
        .status();
  });
}

// Each keeps to what was there before, and they break each other.
TEST_F(OwnersRaceTest, VersionsThatBreakEachOtherDoNotSlipPastTheGateTogether) {
  for (int round = 0; round < kRounds; ++round) {
    // Has the claim, so that the racers write nothing that both read.
    ASSERT_TRUE(Publish(absl::StrCat("book-", round), "0.9.0",
                        DescriptorSetOf({absl::StrCat("acme.Book", round)}))
                    .ok());
  }
  Race({"FAILED_PRECONDITION SCHEMA_BREAKS", "OK"}, [this](int round, size_t who) {
    return Publish(absl::StrCat("book-", round), who == 0 ? "1.1.0" : "1.2.0",
                   DescriptorSetOf({absl::StrCat("acme.Book", round)}, static_cast<int>(who) + 1))
        .status();
  });
}

TEST_F(OwnersRaceTest, AChannelMovedByTwoWhoHaveSeenTheSameGoesOneWay) {
  ASSERT_NO_FATAL_FAILURE(SetUpAddressBook());
  for (const char* version : {"2.0.0", "3.0.0"}) {
    ASSERT_TRUE(Publish("addressbook", version).ok());
    ASSERT_TRUE(Register("addressbook", version, 9002).ok());
  }
  std::vector<int64_t> seen;
  for (int round = 0; round < kRounds; ++round) {
    const auto made = Call(SetChannel, absl::StrCat("channel { service: 'addressbook' name: 'c",
                                                    round, "' version: '1.0.0' }"));
    ASSERT_TRUE(made.ok()) << made.status();
    seen.push_back(made->meta().revision());
  }
  Race({"ABORTED REVISION_CONFLICT", "OK"}, [this, &seen](int round, size_t who) {
    return Call(SetChannel,
                absl::StrCat("channel { service: 'addressbook' name: 'c", round, "' version: '",
                             who == 0 ? "2.0.0" : "3.0.0",
                             "' } expected_revision: ", seen[static_cast<size_t>(round)]))
        .status();
  });
}

}  // namespace
}  // namespace pinion::service
