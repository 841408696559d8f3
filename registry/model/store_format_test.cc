#include "registry/model/store_format.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

registry::v1::StoreFormat Format(int32_t format, int32_t readable_by) {
  registry::v1::StoreFormat made;
  made.set_format(format);
  made.set_readable_by(readable_by);
  return made;
}

TEST(StoreFormat, ANewerStoreIsReadableIfItSaysSo) {
  EXPECT_TRUE(CheckReadable(FormatWithoutRecord()).ok());
  EXPECT_TRUE(CheckReadable(FormatOfNewStores()).ok());
  EXPECT_TRUE(CheckReadable(Format(kStoreFormat + 1, kStoreFormat)).ok());
  const absl::Status newer = CheckReadable(Format(kStoreFormat + 2, kStoreFormat + 1));
  EXPECT_EQ(ReasonOf(newer), "STORE_FORMAT_UNKNOWN");
  EXPECT_EQ(newer.message(),
            "the registry's store has format 4, which programs of format 3 and above can work "
            "with, and this one is of format 2: run a newer pinion");
}

TEST(StoreFormat, AMigrationKeepsTheProgramsOfTheFormatBeforeUnlessItContracts) {
  struct Case {
    int32_t to;
    bool contract;
    const char* outcome;  // "format readable_by", or the reason of a refusal
  };
  const Case cases[] = {
      {1, false, "1 1"},
      {2, false, "2 1"},
      {2, true, "2 2"},
      {3, false, "STORE_FORMAT_UNKNOWN"},
  };
  for (const Case& c : cases) {
    registry::v1::MigrateStoreRequest request;
    request.set_to(c.to);
    request.set_contract(c.contract);
    const auto migrated = Migrated(FormatWithoutRecord(), request);
    EXPECT_EQ(migrated.ok() ? absl::StrCat(migrated->format(), " ", migrated->readable_by())
                            : ReasonOf(migrated.status()),
              c.outcome);
  }
  registry::v1::MigrateStoreRequest back;
  back.set_to(1);
  EXPECT_EQ(ReasonOf(Migrated(Format(2, 1), back).status()), "STORE_FORMAT_UNKNOWN");
  registry::v1::MigrateStoreRequest again;
  again.set_to(2);
  EXPECT_EQ(Migrated(Format(2, 2), again)->readable_by(), 2) << "a contraction stays";
}

}  // namespace
}  // namespace pinion::model
