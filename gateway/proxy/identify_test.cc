#include "gateway/proxy/identify.h"

#include <string>

#include "base/sha256.h"
#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

TEST(ApiKeyIdentity, AKeyIsHashedOnceAndAnotherAnew) {
  ApiKeyIdentity identity;
  const auto first = identity.Hash("s3cret");
  EXPECT_EQ(*first, Sha256Hex("s3cret"));
  EXPECT_EQ(identity.Hash("s3cret"), first) << "the same object";
  for (const char* other : {"", "s3cre", "s3cret2", "S3cret", "s3creu"}) {
    EXPECT_EQ(*identity.Hash(other), Sha256Hex(other)) << other;
  }
  EXPECT_EQ(*identity.Hash("s3cret"), *first);
}

}  // namespace
}  // namespace pinion::proxy
