#include "registry/service/check_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

namespace pinion::service {
namespace {

using registry::v1::InstanceCheck;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CheckLogTest : public ::testing::Test {
 protected:
  // An instance that nothing was known of.
  void Found(const std::string& service, int port, model::Verdict verdict, bool held_back = false) {
    registry::v1::Instance instance;
    instance.mutable_instance()->set_service(service);
    instance.mutable_instance()->set_version("1.0.0");
    auto* address = instance.mutable_instance()->mutable_address()->mutable_socket_address();
    address->set_address("10.0.0.7");
    address->set_port_value(static_cast<uint32_t>(port));
    instance.mutable_check()->set_verdict(verdict);
    instance.mutable_check()->set_held_back(held_back);
    if (verdict == InstanceCheck::UNREACHABLE) {
      instance.mutable_check()->set_message("does not answer");
    }
    log_.Add(InstanceCheck(), instance);
  }
  // "W …" for a warning, "I …" else.
  static std::vector<std::string> Texts(const std::vector<CheckLog::Line>& lines) {
    std::vector<std::string> texts;
    for (const CheckLog::Line& line : lines) {
      texts.push_back(absl::StrCat(line.warning ? "W " : "I ", line.text));
    }
    return texts;
  }
  std::vector<std::string> Taken() { return Texts(log_.Take(now_)); }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  CheckLog log_;
};

TEST_F(CheckLogTest, OneInstanceSpeaksForItselfAndAtOnce) {
  EXPECT_EQ(log_.NextDue(now_), absl::InfiniteFuture());
  Found("addressbook", 9001, InstanceCheck::UNREACHABLE, /*held_back=*/true);
  EXPECT_EQ(log_.NextDue(now_), now_);
  EXPECT_THAT(Taken(), ElementsAre("W instance addressbook 1.0.0 10.0.0.7:9001 is unreachable, no "
                                   "calls: it does not answer"));
  EXPECT_THAT(Taken(), IsEmpty());
  Found("calendar", 9001, InstanceCheck::READY);
  EXPECT_THAT(Taken(), ElementsAre("I instance calendar 1.0.0 10.0.0.7:9001 is ready"));
}

TEST_F(CheckLogTest, ManyOfOneServiceAreALineForEachVerdict) {
  for (int port = 1; port <= 500; ++port) Found("addressbook", port, InstanceCheck::UNREACHABLE);
  Found("addressbook", 501, InstanceCheck::READY);
  EXPECT_THAT(Taken(),
              ElementsAre("I instance addressbook 1.0.0 10.0.0.7:501 is ready",
                          "W 500 instances of addressbook are unreachable; for example 1.0.0 "
                          "10.0.0.7:1, 1.0.0 10.0.0.7:2, 1.0.0 10.0.0.7:3; the first of them does "
                          "not answer"));
}

TEST_F(CheckLogTest, AServiceThatHasSpokenWaits) {
  Found("addressbook", 1, InstanceCheck::UNREACHABLE);
  EXPECT_THAT(Taken(), SizeIs(1));
  for (int port = 2; port < 100; ++port) Found("addressbook", port, InstanceCheck::UNREACHABLE);
  EXPECT_THAT(Taken(), IsEmpty());
  EXPECT_EQ(log_.NextDue(now_), now_ + CheckLog::kWindow);
  now_ += CheckLog::kWindow;
  EXPECT_THAT(Taken(), ElementsAre(HasSubstr("98 instances of addressbook")));
}

TEST_F(CheckLogTest, VeryManyServicesAreOneLineForAll) {
  size_t lines = 0;
  for (int service = 0; service < 5000; ++service) {
    const auto verdict = service % 2 == 0 ? InstanceCheck::READY : InstanceCheck::UNREACHABLE;
    Found(absl::StrCat("service-", service), 9001, verdict);
    lines += Taken().size();
  }
  EXPECT_EQ(lines, CheckLog::kServicesMax);
  now_ += CheckLog::kWindow;
  EXPECT_THAT(Taken(), ElementsAre("W 4990 instances of 4990 services: 2495 are ready, 2495 are "
                                   "unreachable; `pinion instance list` shows them"));
}

TEST_F(CheckLogTest, NoProofWhereNoneIsAskedForIsNoWarning) {
  Found("addressbook", 1, InstanceCheck::UNPROVEN);
  Found("calendar", 1, InstanceCheck::UNPROVEN, /*held_back=*/true);
  EXPECT_THAT(Taken(), ElementsAre("I instance addressbook 1.0.0 10.0.0.7:1 is unproven",
                                   "W instance calendar 1.0.0 10.0.0.7:1 is unproven, no calls"));
}

TEST_F(CheckLogTest, AtTheEndWhatWaitsIsSaid) {
  for (const int port : {1, 2, 3}) {
    Found("addressbook", port, InstanceCheck::READY);
    EXPECT_THAT(Taken(), SizeIs(port == 1 ? 1 : 0));
  }
  EXPECT_THAT(Texts(log_.TakeAll()), ElementsAre(AllOf(HasSubstr("I 2 instances"),
                                                       HasSubstr("of addressbook are ready"))));
}

}  // namespace
}  // namespace pinion::service
