// A client session and a server session, connected byte by byte.
#include "gateway/http2/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/h2_session.h"

namespace pinion::http2 {
namespace {

using pinion::testing::h2::AsBytes;
using pinion::testing::h2::Exchange;
using pinion::testing::h2::SessionUnderTest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<HeaderField> kRequest = {
    {":method", "POST"},    {":scheme", "http"}, {":path", "/a.B/C"},
    {":authority", "test"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
const std::vector<HeaderField> kResponse = {{":status", "200"},
                                            {"content-type", "application/grpc"}};
const std::vector<HeaderField> kTrailers = {{"grpc-status", "0"}};

// How many bytes each read brings.
class SessionPairTest : public ::testing::TestWithParam<size_t> {
 protected:
  void Exchange() { pinion::testing::h2::Exchange(client_, server_, GetParam()); }

  SessionUnderTest client_{Role::kClient};
  SessionUnderTest server_{Role::kServer};
};

INSTANTIATE_TEST_SUITE_P(Pieces, SessionPairTest,
                         ::testing::Values(1, 2, 3, 8, 9, 10, 17, 100, 1000, SIZE_MAX));

TEST_P(SessionPairTest, UnaryCall) {
  Stream* call = client_.session.OpenStream(kRequest, false, nullptr);
  EXPECT_EQ(client_.session.SendData(*call, AsBytes("hello"), true), 5u);
  Exchange();
  EXPECT_THAT(
      server_.events,
      ElementsAre(
          "settings",
          "headers 1 "
          ":path=/a.B/"
          "C|:method=POST|:scheme=http|:authority=test|te=trailers|content-type=application/grpc",
          "data 1 hello end"));
}

}  // namespace
}  // namespace pinion::http2
