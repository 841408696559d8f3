// What a pipe holds of a body, and for how long.
#include "gateway/proxy/body_pipe.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

// Pipes are used again with their calls: what they keep between two of them, they keep for ever.
TEST(BodyPipeTest, WhatWaitedIsFreedWithItsCall) {
  const std::string body(1'000'000, 'x');
  const http2::Bytes bytes(reinterpret_cast<const uint8_t*>(body.data()), body.size());
  BodyPipe pipe;
  const size_t before = pipe.held_bytes();
  pipe.Push(bytes, true);  // there is no sink yet
  EXPECT_GE(pipe.held_bytes(), body.size());
  pipe.Reset();
  EXPECT_EQ(pipe.held_bytes(), before);
  pipe.Push(bytes, true);
  pipe.DropWaiting();
  EXPECT_EQ(pipe.held_bytes(), before);
}

}  // namespace
}  // namespace pinion::proxy
