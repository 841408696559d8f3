#include "gateway/http2/output_buffer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "gateway/http2/slab_pool.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

std::string Front(const OutputBuffer& buffer, size_t pieces) {
  std::array<Bytes, 8> spans;
  std::string text;
  const size_t count = buffer.Peek(absl::MakeSpan(spans).first(pieces));
  for (size_t i = 0; i < count; ++i) text.append(spans[i].begin(), spans[i].end());
  return text;
}

TEST(OutputBuffer, IsAQueueOfBytes) {
  pinion::testing::Random random(7);
  SlabPool pool;
  OutputBuffer buffer(pool);
  std::string expected;
  uint64_t appended = 0;
  for (int step = 0; step < 3000; ++step) {
    const std::string bytes(random.Size(40000), static_cast<char>('a' + step % 26));
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    if (bytes.size() <= limits::kSlabBytes && random.OneIn(2)) {
      std::memcpy(buffer.Extend(bytes.size()), data, bytes.size());
    } else {
      buffer.Append(Bytes(data, bytes.size()));
    }
    expected += bytes;
    appended += bytes.size();
    ASSERT_EQ(buffer.size(), expected.size());
    ASSERT_EQ(buffer.appended(), appended);
    const std::string front = Front(buffer, 1 + random.Below(8));
    ASSERT_FALSE(front.empty());
    ASSERT_EQ(expected.compare(0, front.size(), front), 0);
    const size_t written = random.Below(expected.size() + 1);
    buffer.Consume(written);
    expected.erase(0, written);
    ASSERT_EQ(buffer.empty(), expected.empty());
  }
  buffer.Consume(expected.size());
  EXPECT_EQ(Front(buffer, 8), "");
}

}  // namespace
}  // namespace pinion::http2
