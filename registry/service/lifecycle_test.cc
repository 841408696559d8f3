// The life of a version: what each step changes, refuses and records, and what follows for pins and
// channels.
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "registry/service/operations.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LifecycleTest : public RegistryFixture {
 protected:
  // addressbook with 1.0.0, which is stable, 1.1.0 and 2.0.0, all active.
  void SetUp() override {
    SetUpAddressBook();
    for (const auto& [name, port] : {std::pair("1.1.0", 9002), std::pair("2.0.0", 9003)}) {
      ASSERT_TRUE(Publish("addressbook", name, DescriptorSetOf({"acme.AddressBook"})).ok());
      ASSERT_TRUE(Register("addressbook", name, port).ok());
    }
  }
  absl::StatusOr<v1::VersionStateResponse> Deprecate(const std::string& version,
                                                     const std::string& rest = "") {
    return Call(DeprecateVersion,
                absl::StrCat("service: 'addressbook' name: '", version, "' ", rest));
  }
  absl::StatusOr<v1::VersionStateResponse> Reactivate(const std::string& version,
                                                      const std::string& rest = "") {
    return Call(ReactivateVersion,
                absl::StrCat("service: 'addressbook' name: '", version, "' ", rest));
  }
  routing::v1::Version Version(const std::string& name) {
    return Call(GetVersion, absl::StrCat("service: 'addressbook' name: '", name, "'"))->version();
  }
  std::string StateOf(const std::string& name) {
    return routing::v1::VersionState_Name(Version(name).state());
  }
  std::string SunsetIn(absl::Duration duration) {
    return absl::StrCat("sunset_time { seconds: ", absl::ToUnixSeconds(clock_.Wall() + duration),
                        " }");
  }
  // What the pin of `consumer` means now.
  std::string Meant(const std::string& consumer) {
    return Call(GetPin, absl::StrCat("consumer: '", consumer, "' service: 'addressbook'"))
        ->resolved_version();
  }
  int SunsetNow() { return *SunsetDueVersions(*registry_); }
  std::vector<std::string> SunsetKeys() {
    std::vector<std::string> keys;
    const auto range = store_.Range({.range = store::KeyRange::Prefix(model::kSunsets)});
    for (const auto& kv : range->kvs) keys.push_back(kv.key);
    return keys;
  }
};

TEST_F(LifecycleTest, ADeprecationIsRecordedAndMovesNobody) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "1.1.0").ok());
  const auto made = Deprecate("1.1.0", absl::StrCat(SunsetIn(absl::Hours(24)),
                                                    " successor: '2.0.0' link: 'https://acme/v2' "
                                                    "reason: 'two is better'"));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->changed());
  EXPECT_THAT(made->moved(), IsEmpty());
  EXPECT_THAT(made->channels(), IsEmpty());
  EXPECT_EQ(made->version().meta().revision(), store_.revision());
  EXPECT_EQ(StateOf("1.1.0"), "DEPRECATED");
  EXPECT_EQ(Version("1.1.0").deprecation().time().seconds(), absl::ToUnixSeconds(clock_.Wall()));
  EXPECT_EQ(Meant("billing"), "1.1.0");
  EXPECT_EQ(Meant("shipping"), "1.1.0");
  EXPECT_EQ(NewestAudit().command(), "version.deprecate");
  EXPECT_EQ(NewestAudit().object(), "addressbook 1.1.0");
  EXPECT_EQ(NewestAudit().reason(), "two is better");
  EXPECT_THAT(NewestAudit().new_value(), HasSubstr("\"successor\":\"2.0.0\""));
  EXPECT_THAT(Deprecate("1.0.0")->channels(), ElementsAre("stable"));
}

TEST_F(LifecycleTest, TheSameAgainIsNoChange) {
  const std::string same = absl::StrCat(SunsetIn(absl::Hours(24)), " successor: '2.0.0'");
  ASSERT_TRUE(Deprecate("1.1.0", same)->changed());
  const store::Revision before = store_.revision();
  EXPECT_FALSE(Deprecate("1.1.0", same)->changed());
  EXPECT_FALSE(Deprecate("1.1.0")->changed());
  EXPECT_FALSE(Reactivate("2.0.0")->changed());
  EXPECT_EQ(store_.revision(), before);
}

TEST_F(LifecycleTest, RefusalsNameWhatIsWrong) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  ASSERT_TRUE(Deprecate("1.1.0", "successor: '2.0.0'").ok());
  const struct {
    std::string version, rest, outcome, message;
  } kCases[] = {
      {"1.0.1", "", "NOT_FOUND VERSION_NOT_FOUND", "nearest: "},
      {"1.0.0", "successor: '2.0.1'", "NOT_FOUND VERSION_NOT_FOUND", "no version '2.0.1'"},
      {"1.0.0", "successor: '1.0.0'", "INVALID_ARGUMENT ARGUMENT_INVALID", "succeed itself"},
      {"2.0.0", "successor: '1.1.0'", "INVALID_ARGUMENT ARGUMENT_INVALID", "in circles"},
      {"1.0.0", SunsetIn(-absl::Hours(1)), "INVALID_ARGUMENT ARGUMENT_INVALID", "in the future"},
      {"1.0.0", SunsetIn(absl::ZeroDuration()), "INVALID_ARGUMENT ARGUMENT_INVALID",
       "in the future"},
      {"1.0.0", "link: 'gopher://acme'", "INVALID_ARGUMENT ARGUMENT_INVALID", "URL"},
      {"1.0.0", "expected_revision: 1", "ABORTED REVISION_CONFLICT", "version addressbook 1.0.0"},
      {"3.0.0", "", "FAILED_PRECONDITION VERSION_NOT_ACTIVE", "never active"},
  };
  const store::Revision before = store_.revision();
  for (const auto& c : kCases) {
    const absl::Status status = Deprecate(c.version, c.rest).status();
    EXPECT_EQ(Outcome(status), c.outcome) << c.version << " " << c.rest;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  EXPECT_EQ(Outcome(Reactivate("3.0.0").status()), "FAILED_PRECONDITION VERSION_NOT_ACTIVE");
  EXPECT_EQ(Outcome(Reactivate("2.0.0", "expected_revision: 1").status()),
            "ABORTED REVISION_CONFLICT");
  EXPECT_EQ(store_.revision(), before);
}

TEST_F(LifecycleTest, TheSunsetComesAtItsTime) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "1.1.0").ok());
  ASSERT_TRUE(Deprecate("1.1.0", SunsetIn(absl::Hours(24))).ok());
  clock_.Advance(absl::Hours(24) - absl::Seconds(1));
  EXPECT_EQ(SunsetNow(), 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(SunsetNow(), 1);
  EXPECT_EQ(StateOf("1.1.0"), "SUNSET");
  EXPECT_EQ(Meant("billing"), "1.0.0") << "a range skips it";
  EXPECT_EQ(Meant("shipping"), "1.1.0") << "a pin on its name keeps to it";
  const v1::AuditRecord audit = NewestAudit();
  EXPECT_EQ(audit.command(), "version.sunset");
  EXPECT_EQ(audit.actor(), "registry");
  ASSERT_EQ(audit.moved_size(), 1);
  EXPECT_EQ(audit.moved(0).consumers(), 1);
  EXPECT_THAT(SunsetKeys(), IsEmpty());
  EXPECT_EQ(SunsetNow(), 0);
  EXPECT_EQ(
      Outcome(Call(SetChannel, "channel { service: 'addressbook' name: 'beta' version: '1.1.0' }")
                  .status()),
      "FAILED_PRECONDITION VERSION_NOT_ACTIVE");
  EXPECT_EQ(Outcome(Deprecate("1.0.0", "successor: '1.1.0'").status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
}

TEST_F(LifecycleTest, ASunsetIsPutOffAndTakenBack) {
  ASSERT_TRUE(Deprecate("1.1.0", SunsetIn(absl::Hours(1))).ok());
  ASSERT_TRUE(Deprecate("1.1.0", SunsetIn(absl::Hours(2))).ok());
  EXPECT_EQ(SunsetKeys().size(), 1u);
  clock_.Advance(absl::Minutes(90));
  EXPECT_EQ(SunsetNow(), 0);
  ASSERT_TRUE(Reactivate("1.1.0").ok());
  EXPECT_THAT(SunsetKeys(), IsEmpty());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(SunsetNow(), 0);
  EXPECT_EQ(StateOf("1.1.0"), "ACTIVE");
  EXPECT_FALSE(Version("1.1.0").has_deprecation());
}

TEST_F(LifecycleTest, FromTheSunsetThereIsAWayBack) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Deprecate("1.1.0", SunsetIn(absl::Hours(1))).ok());
  clock_.Advance(absl::Hours(2));
  ASSERT_EQ(SunsetNow(), 1);
  const auto postponed = Deprecate("1.1.0", SunsetIn(absl::Hours(1)));
  ASSERT_TRUE(postponed.ok()) << postponed.status();
  EXPECT_EQ(StateOf("1.1.0"), "DEPRECATED");
  EXPECT_EQ(Meant("billing"), "1.0.0") << "1.0.0 serves it well, and the other is deprecated";
  clock_.Advance(absl::Hours(2));
  ASSERT_EQ(SunsetNow(), 1);
  const auto back = Reactivate("1.1.0", "reason: 'too early'");
  ASSERT_EQ(back->moved_size(), 1);
  EXPECT_EQ(back->moved(0).new_version(), "1.1.0");
  EXPECT_EQ(Meant("billing"), "1.1.0");
  EXPECT_EQ(NewestAudit().command(), "version.reactivate");
}

TEST_F(LifecycleTest, SunsetsThatCameWhileTheRegistryWasAwayAreCarriedOut) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = absl::StrCat("3.", i, ".0");
    ASSERT_TRUE(Publish("addressbook", name).ok());
    ASSERT_TRUE(Register("addressbook", name, 10'000 + i).ok());
    ASSERT_TRUE(Deprecate(name, SunsetIn(absl::Seconds(i + 1))).ok());
  }
  clock_.Advance(absl::Hours(1));
  registry_ = *Registry::Open(store_, clock_);
  int sunset = 0;
  for (int more = 1; more > 0; sunset += more) more = SunsetNow();
  EXPECT_EQ(sunset, 100);
  EXPECT_EQ(StateOf("3.99.0"), "SUNSET");
}

}  // namespace
}  // namespace pinion::service
