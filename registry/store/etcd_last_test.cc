#include "registry/store/etcd_last.h"

#include <iterator>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

namespace pinion::store {
namespace {

// Keys in memory, which count what is asked of them.
class Keys {
 public:
  void Add(std::string key) { keys_.insert(std::move(key)); }

  int64_t CountIn(const KeyRange& range) const {
    return std::distance(keys_.lower_bound(range.key), keys_.lower_bound(range.end));
  }
  // How many keys LastKeys() leaves of those with `prefix`.
  int64_t Left(const std::string& prefix, int64_t wanted, int64_t enough) {
    probes_ = 0;
    const KeyRange range = KeyRange::Prefix(prefix);
    const absl::StatusOr<KeyRange> last =
        LastKeys(range, *keys_.lower_bound(prefix), wanted, enough,
                 [keys = this](const KeyRange& part) -> absl::StatusOr<int64_t> {
                   ++keys->probes_;
                   return keys->CountIn(part);
                 });
    EXPECT_TRUE(last.ok());
    EXPECT_EQ(last->end, range.end) << "the last keys, none left out";
    return CountIn(*last);
  }
  int probes() const { return probes_; }

 private:
  std::set<std::string> keys_;
  int probes_ = 0;
};

TEST(LastKeysTest, FindsTheEndOfALongLog) {
  Keys keys;
  for (int64_t i = 0; i < 20'000; ++i) {
    keys.Add(absl::StrFormat("audit!%020d", 1'764'000'000'000'000 + i * i * 7'919));
  }
  keys.Add("zzz");
  for (const int64_t wanted : {1, 2, 100, 1000}) {
    const int64_t left = keys.Left("audit!", wanted, wanted * 4 + 100);
    EXPECT_GE(left, wanted);
    EXPECT_LE(left, wanted * 4 + 100);
    EXPECT_LT(keys.probes(), 150);
  }
}

TEST(LastKeysTest, TakesKeysOfAnyShape) {
  Keys keys;
  const std::string high(3, '\xff');
  for (const std::string key : {"p", "pa", "paa", "pab", "pb"}) keys.Add(key);
  keys.Add("p" + high);
  keys.Add("p" + high + high);
  for (int64_t wanted = 1; wanted <= 7; ++wanted) {
    EXPECT_GE(keys.Left("p", wanted, wanted), wanted);
  }
  EXPECT_EQ(keys.Left("p", 1, 1), 1);
  EXPECT_EQ(keys.Left("p", 3, 3), 3);
}

TEST(LastKeysTest, AnErrorEndsIt) {
  const absl::StatusOr<KeyRange> last = LastKeys(
      KeyRange::Prefix("p"), "pa", 1, 1,
      [](const KeyRange&) -> absl::StatusOr<int64_t> { return absl::UnavailableError("away"); });
  EXPECT_TRUE(absl::IsUnavailable(last.status()));
}

}  // namespace
}  // namespace pinion::store
