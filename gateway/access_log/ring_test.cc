#include "gateway/access_log/ring.h"

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pinion::access_log {
namespace {

// Takes all that is there.
std::string Drain(Ring& ring) {
  std::string all;
  for (absl::string_view front = ring.Front(); !front.empty(); front = ring.Front()) {
    all.append(front.data(), front.size());
    ring.Consume(front.size());
  }
  return all;
}

TEST(Ring, GivesBackWhatItTookInOrder) {
  Ring ring(16);
  EXPECT_EQ(Drain(ring), "");
  std::string put, got;
  for (int i = 0; i < 100; ++i) {
    const std::string line(i % 7 + 1, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(ring.Push(line));
    put += line;
    if (i % 2 == 1) got += Drain(ring);
  }
  EXPECT_EQ(got, put);
}

TEST(Ring, TakesALineWholeOrNotAtAll) {
  Ring ring(16);
  EXPECT_TRUE(ring.Push("0123456789"));
  EXPECT_FALSE(ring.Push("abcdefg"));
  EXPECT_TRUE(ring.Push("abcdef"));
  EXPECT_FALSE(ring.Push("x"));
  ring.Consume(4);
  EXPECT_TRUE(ring.Push("wxyz"));
  EXPECT_EQ(Drain(ring), "456789abcdefwxyz");
}

TEST(Ring, KnowsWhenItIsHalfFull) {
  Ring ring(16);
  ring.Push("12345678");
  EXPECT_FALSE(ring.HalfFull());
  ring.Push("9");
  EXPECT_TRUE(ring.HalfFull());
  ring.Consume(1);
  EXPECT_FALSE(ring.HalfFull());
}

TEST(Ring, CarriesBytesBetweenThreads) {
  constexpr int kLines = 20000;
  Ring ring(256);
  std::thread producer([&ring] {
    for (int i = 0; i < kLines;) {
      if (ring.Push(absl::StrCat(i, "\n"))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::string got, expected;
  for (int i = 0; i < kLines; ++i) absl::StrAppend(&expected, i, "\n");
  while (got.size() < expected.size()) {
    const std::string more = Drain(ring);
    if (more.empty()) std::this_thread::yield();
    got += more;
  }
  producer.join();
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace pinion::access_log
