// What only the embedded store does: refusing files that are not its own.
#include "registry/store/sqlite_store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion::store {
namespace {

using ::testing::HasSubstr;

class SqliteStoreTest : public ::testing::Test {
 protected:
  void WriteFile(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void RunSql(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  void MakeStore(int keys) {
    absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path_);
    ASSERT_TRUE(store.ok()) << store.status();
    for (int i = 0; i < keys; ++i) {
      ASSERT_TRUE(
          (*store)->Commit({.then = {Put{absl::StrCat("key", i), std::string(3000, 'v')}}}).ok());
    }
  }
  absl::Status OpenStatus() { return SqliteStore::Open(path_).status(); }

  const testing::TempDirectory directory_;
  std::string path_ = directory_.Path("registry.db");
};

TEST_F(SqliteStoreTest, RefusesWhatIsNotADatabase) {
  WriteFile(std::string(10'000, 'x'));
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus()));
  EXPECT_THAT(std::string(OpenStatus().message()),
              HasSubstr("is damaged (it is not an SQLite file, or"));
  EXPECT_EQ(testing::ReadFile(path_), std::string(10'000, 'x')) << "it is not touched";
}

TEST_F(SqliteStoreTest, RefusesSomebodyElsesDatabase) {
  RunSql("CREATE TABLE mine (a)");
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenStatus()));
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("not a registry store"));
}

TEST_F(SqliteStoreTest, RefusesANewerFormat) {
  MakeStore(1);
  RunSql("PRAGMA user_version = 2");
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenStatus()));
  EXPECT_THAT(std::string(OpenStatus().message()),
              HasSubstr("was written by a newer pinion (format 2, this one knows up to 1)"));
}

TEST_F(SqliteStoreTest, RefusesADamagedFile) {
  MakeStore(200);
  const auto size = std::filesystem::file_size(path_);
  ASSERT_GT(size, 100'000u);
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(8192);
  file << std::string(static_cast<size_t>(size) - 16'384, '\xa5');
  file.close();
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus())) << OpenStatus();
  EXPECT_THAT(std::string(OpenStatus().message()),
              HasSubstr("restore the last backup with `pinion restore BACKUP --store " + path_));
}

TEST_F(SqliteStoreTest, RefusesATruncatedFile) {
  MakeStore(200);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  EXPECT_TRUE(absl::IsDataLoss(OpenStatus())) << OpenStatus();
}

TEST_F(SqliteStoreTest, RefusesASecondProcess) {
  absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path_);
  ASSERT_TRUE(store.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenStatus()));
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("in use by another process"));
  store->reset();
  EXPECT_TRUE(OpenStatus().ok());
}

TEST_F(SqliteStoreTest, SaysWhichDirectoryIsMissing) {
  path_ = directory_.Path("missing/registry.db");
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("missing/registry.db"));
}

TEST_F(SqliteStoreTest, RefusesADirectoryAndLeavesNothingBesideIt) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(OpenStatus().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(OpenStatus().message()),
              HasSubstr("is a directory: name the file, such as " + path_ + "/registry.db"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".lock"));
}

TEST_F(SqliteStoreTest, AnEmptyFileBecomesAStore) {
  WriteFile("");
  EXPECT_TRUE(OpenStatus().ok());
  EXPECT_TRUE(OpenStatus().ok()) << "and is one from then on";
}

}  // namespace
}  // namespace pinion::store
