#include "gateway/http2/settings.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/testing/h2_frames.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;

Bytes Payload(const std::string& frame) {
  return Bytes(reinterpret_cast<const uint8_t*>(frame.data()), frame.size()).subspan(9);
}

TEST(ApplySettings, ChecksEachValue) {
  struct Case {
    uint16_t id;
    uint32_t value;
    Role self;
    ErrorCode expected;  // kNoError: accepted
  };
  const Case cases[] = {
      {1, 0, Role::kServer, ErrorCode::kNoError},
      {1, UINT32_MAX, Role::kServer, ErrorCode::kNoError},
      {2, 0, Role::kServer, ErrorCode::kNoError},
      {2, 1, Role::kServer, ErrorCode::kNoError},
      {2, 2, Role::kServer, ErrorCode::kProtocolError},
      {2, 0, Role::kClient, ErrorCode::kNoError},
      {2, 1, Role::kClient, ErrorCode::kProtocolError},
      {3, 0, Role::kClient, ErrorCode::kNoError},
      {4, 0, Role::kServer, ErrorCode::kNoError},
      {4, 0x7fffffff, Role::kServer, ErrorCode::kNoError},
      {4, 0x80000000, Role::kServer, ErrorCode::kFlowControlError},
      {5, 16383, Role::kServer, ErrorCode::kProtocolError},
      {5, 16384, Role::kServer, ErrorCode::kNoError},
      {5, 16777215, Role::kServer, ErrorCode::kNoError},
      {5, 16777216, Role::kServer, ErrorCode::kProtocolError},
      {6, 0, Role::kServer, ErrorCode::kNoError},
      {0, 7, Role::kServer, ErrorCode::kNoError},
      {0xff, 7, Role::kServer, ErrorCode::kNoError},
  };
  for (const Case& c : cases) {
    PeerSettings settings;
    auto error = ApplySettings(Payload(h2::Settings({{c.id, c.value}})), c.self, settings);
    EXPECT_EQ(error.has_value() ? error->code : ErrorCode::kNoError, c.expected)
        << c.id << "=" << c.value;
  }
}

// RFC 7541 section 4.2: the encoder is to go through the smallest.
TEST(ApplySettings, TheSmallestTableOfAFrameIsKept) {
  PeerSettings settings;
  EXPECT_FALSE(
      ApplySettings(Payload(h2::Settings({{1, 100}, {1, 7}, {1, 4096}})), Role::kServer, settings)
          .has_value());
  EXPECT_EQ(settings.header_table_bytes, 4096u);
  EXPECT_EQ(settings.header_table_bytes_min, 7u);
  EXPECT_FALSE(ApplySettings(Payload(h2::Settings({{3, 1}})), Role::kServer, settings).has_value());
  EXPECT_EQ(settings.header_table_bytes_min, 4096u) << "the next frame says nothing of it";
}

TEST(ApplySettings, TheLastOfOneFrameHolds) {
  PeerSettings settings;
  EXPECT_FALSE(ApplySettings(Payload(h2::Settings({{4, 1}, {3, 7}, {4, 2}, {1, 9}, {5, 20000}})),
                             Role::kServer, settings)
                   .has_value());
  EXPECT_EQ(settings.initial_window_bytes, 2u);
  EXPECT_EQ(settings.max_concurrent_streams, 7u);
  EXPECT_EQ(settings.header_table_bytes, 9u);
  EXPECT_EQ(settings.max_frame_bytes, 20000u);
}

TEST(InitialSettings, AreAcceptedByTheOtherRole) {
  Options options;
  options.max_concurrent_streams = 5;
  options.stream_window_bytes = 70000;
  options.max_frame_bytes = 20000;
  PeerSettings at_client;
  ASSERT_FALSE(
      ApplySettings(InitialSettings(Role::kServer, options), Role::kClient, at_client).has_value());
  EXPECT_EQ(at_client.max_concurrent_streams, 5u);
  EXPECT_EQ(at_client.initial_window_bytes, 70000u);
  EXPECT_EQ(at_client.max_frame_bytes, 20000u);
  EXPECT_EQ(at_client.max_header_list_bytes, options.max_header_list_bytes);
  PeerSettings at_server;
  ASSERT_FALSE(
      ApplySettings(InitialSettings(Role::kClient, options), Role::kServer, at_server).has_value());
  EXPECT_EQ(at_server.initial_window_bytes, 70000u);
}

}  // namespace
}  // namespace pinion::http2
