#include "registry/model/lifecycle.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using registry::v1::DeprecateVersionRequest;
using ::testing::HasSubstr;
using Version = routing::v1::Version;

template <typename Message>
Message From(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

Version Book(const std::string& rest) {
  return From<Version>("service: 'book' name: '1.0.0' " + rest);
}

google::protobuf::Timestamp At(int64_t seconds) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  return time;
}

TEST(Lifecycle, DeprecatingSaysSinceWhenAndUntilWhen) {
  const struct {
    const char* before;
    const char* request;
    const char* after;
  } kCases[] = {
      {"state: ACTIVE", "", "state: DEPRECATED deprecation { time { seconds: 1000 } }"},
      {"state: ACTIVE",
       "sunset_time { seconds: 2000 nanos: 999999999 } successor: '2.0.0' link: 'https://a.b/c'",
       "state: DEPRECATED deprecation { time { seconds: 1000 } sunset_time { seconds: 2000 } "
       "successor: '2.0.0' link: 'https://a.b/c' }"},
      // Again: what is not set stays, the time of the deprecation always.
      {"state: DEPRECATED deprecation { time { seconds: 5 } successor: '2.0.0' link: 'http://a' }",
       "sunset_time { seconds: 1001 } link: ''",
       "state: DEPRECATED deprecation { time { seconds: 5 } sunset_time { seconds: 1001 } "
       "successor: '2.0.0' link: '' }"},
      // A sunset that has come is taken back by another one, and by nothing else.
      {"state: SUNSET deprecation { time { seconds: 5 } sunset_time { seconds: 9 } }",
       "successor: '3.0.0'",
       "state: SUNSET deprecation { time { seconds: 5 } sunset_time { seconds: 9 } "
       "successor: '3.0.0' }"},
      {"state: SUNSET deprecation { time { seconds: 5 } sunset_time { seconds: 9 } }",
       "sunset_time { seconds: 2000 }",
       "state: DEPRECATED deprecation { time { seconds: 5 } sunset_time { seconds: 2000 } }"},
  };
  for (const auto& c : kCases) {
    const auto after =
        Deprecate(Book(c.before), From<DeprecateVersionRequest>(c.request), At(1000));
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(after->DebugString(), Book(c.after).DebugString()) << c.before << " " << c.request;
  }
}

TEST(Lifecycle, ReactivatingForgetsTheDeprecation) {
  for (const char* before :
       {"state: ACTIVE", "state: DEPRECATED deprecation { time { seconds: 5 } successor: '2.0.0' }",
        "state: SUNSET deprecation { time { seconds: 5 } sunset_time { seconds: 9 } }"}) {
    EXPECT_EQ(Reactivate(Book(before))->DebugString(), Book("state: ACTIVE").DebugString());
  }
}

TEST(Lifecycle, WhatHasNotBegunOrHasEndedDoesNotChange) {
  const struct {
    const char* state;
    const char* reason;
  } kCases[] = {{"state: PUBLISHED", "VERSION_NOT_ACTIVE"}, {"state: RETIRED", "VERSION_RETIRED"}};
  for (const auto& c : kCases) {
    const auto deprecated = Deprecate(Book(c.state), {}, At(1));
    EXPECT_EQ(ReasonOf(deprecated.status()), c.reason);
    EXPECT_THAT(std::string(deprecated.status().message()), HasSubstr("book 1.0.0 is "));
    EXPECT_EQ(ReasonOf(Reactivate(Book(c.state)).status()), c.reason);
  }
}

TEST(Lifecycle, ASunsetIsInTheFuture) {
  for (const int64_t seconds : {0, 999, 1000}) {
    DeprecateVersionRequest request;
    *request.mutable_sunset_time() = At(seconds);
    const absl::Status status = Deprecate(Book("state: ACTIVE"), request, At(1000)).status();
    EXPECT_EQ(ReasonOf(status), "ARGUMENT_INVALID");
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("is not in the future: it is 1970-01-01T00:16:40Z now"));
  }
}

// By a replica whose clock is behind that of the one which deprecated it.
TEST(Lifecycle, ASunsetIsNotBeforeTheDeprecation) {
  const Version book = Book("state: DEPRECATED deprecation { time { seconds: 1060 } }");
  DeprecateVersionRequest request;
  *request.mutable_sunset_time() = At(1059);
  const absl::Status status = Deprecate(book, request, At(1000)).status();
  EXPECT_EQ(ReasonOf(status), "ARGUMENT_INVALID");
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is before its deprecation, 1970-01-01T00:17:40Z; give that time"));
  *request.mutable_sunset_time() = At(1060);
  EXPECT_TRUE(Deprecate(book, request, At(1000)).ok());
}

TEST(Lifecycle, RequestsThatCannotBeMeant) {
  const struct {
    const char* request;
    const char* message;
  } kCases[] = {
      {"sunset_time { seconds: -1 }", "no time between"},
      {"sunset_time { seconds: 253402300800 }", "no time between"},
      {"sunset_time { seconds: 1 nanos: -1 }", "no time between"},
      {"link: 'ftp://a.b'", "no http or https URL"},
      {"link: 'https://a b'", "no http or https URL"},
      {"link: 'https://a>b'", "no http or https URL"},
      {"link: 'https://a\\nb: c'", "no http or https URL"},
      {"link: 'https://\\303\\244'", "percent-encode"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ValidateDeprecate(From<DeprecateVersionRequest>(c.request));
    EXPECT_EQ(ReasonOf(status), "ARGUMENT_INVALID") << c.request;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  DeprecateVersionRequest request;
  request.set_link("https://" + std::string(kMaxLinkBytes - 8, 'a'));
  EXPECT_TRUE(ValidateDeprecate(request).ok());
  request.mutable_link()->push_back('a');
  EXPECT_FALSE(ValidateDeprecate(request).ok());
  request.set_link("");
  request.set_reason(std::string(2000, 'r'));
  EXPECT_FALSE(ValidateDeprecate(request).ok());
}

TEST(Lifecycle, ASuccessorIsAnotherThatLives) {
  const std::vector<Version> all = {
      Book("state: ACTIVE"),
      From<Version>("service: 'book' name: '2.0.0' state: ACTIVE"),
      From<Version>("service: 'book' name: '3.0.0' state: DEPRECATED deprecation { successor: "
                    "'4.0.0' }"),
      From<Version>("service: 'book' name: '4.0.0' state: DEPRECATED deprecation { successor: "
                    "'1.0.0' }"),
      From<Version>("service: 'book' name: '5.0.0' state: PUBLISHED"),
      From<Version>("service: 'book' name: '6.0.0' state: SUNSET"),
      From<Version>("service: 'book' name: '7.0.0' state: RETIRED"),
      From<Version>("service: 'book' name: '8.0.0' state: ACTIVE deprecation { successor: "
                    "'8.0.0' }"),
  };
  const struct {
    const char* successor;
    const char* problem;
  } kCases[] = {
      {"2.0.0", ""},
      {"5.0.0", ""},
      {"8.0.0", ""},  // its own circle is not ours
      {"1.0.0", "cannot succeed itself"},
      {"4.0.0", "book 4.0.0 names 1.0.0 as its own successor"},
      {"3.0.0", "book 4.0.0 names 1.0.0 as its own successor"},
      {"6.0.0", "book 6.0.0 is past its sunset"},
      {"7.0.0", "book 7.0.0 is retired"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = CheckSuccessor(all[0], c.successor, all);
    EXPECT_EQ(status.ok(), *c.problem == '\0') << c.successor;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.problem));
  }
}

}  // namespace
}  // namespace pinion::model
