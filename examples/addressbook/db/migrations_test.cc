#include "examples/addressbook/db/migrations.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace addressbook {
namespace {

class MigrationsTest : public testing::Test {
 protected:
  MigrationsTest()
      : path_(testing::TempDir() + "migrations_test.db"), database_(*OpenAnew(path_)) {}
  ~MigrationsTest() override { Remove(path_); }

  static void Remove(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  }
  static absl::StatusOr<Database> OpenAnew(const std::string& path) {
    Remove(path);
    return Database::Open(path, /*create=*/true);
  }

  void Do(const std::string& sql) {
    const absl::Status status = database_.Execute(sql);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::optional<std::string> Column(const std::string& name, const std::string& id) {
    absl::StatusOr<Statement> statement =
        database_.Prepare("SELECT " + name + " FROM contacts WHERE id = ?");
    EXPECT_TRUE(statement.ok()) << statement.status();
    EXPECT_TRUE(statement->Bind(id).Step().value());
    return statement->NullableText(0);
  }

  std::string path_;
  Database database_;
};

TEST_F(MigrationsTest, ExpandAddsNullsAndChangesNoRow) {
  ASSERT_TRUE(Create(database_).ok());
  Do("INSERT INTO contacts VALUES ('ada', 'Ada', '12 Elm Street')");
  EXPECT_FALSE(IsExpanded(database_).value());
  ASSERT_TRUE(Expand(database_).ok());
  EXPECT_TRUE(IsExpanded(database_).value());
  EXPECT_EQ(Column("address", "ada"), "12 Elm Street");
  EXPECT_EQ(Column("address_line1", "ada"), std::nullopt);
}

TEST_F(MigrationsTest, EveryStepCanBeRepeated) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Create(database_).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Expand(database_).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Reset(database_).ok());
}

TEST_F(MigrationsTest, AnAddressWrittenAloneSetsTheLinesToNull) {
  ASSERT_TRUE(Create(database_).ok());
  ASSERT_TRUE(Expand(database_).ok());
  Do("INSERT INTO contacts VALUES ('ada', 'Ada', 'a', 'a', ''), ('bob', 'Bob', 'b', 'b', '')");
  Do("UPDATE contacts SET name = 'Ada L', address = 'c' WHERE id = 'ada'");
  EXPECT_EQ(Column("address_line1", "ada"), std::nullopt);
  EXPECT_EQ(Column("address_line1", "bob"), "b");
}

TEST_F(MigrationsTest, TheSameAddressOrNewLinesWithItKeepTheLines) {
  ASSERT_TRUE(Create(database_).ok());
  ASSERT_TRUE(Expand(database_).ok());
  Do("INSERT INTO contacts VALUES ('ada', 'Ada', 'a', 'a', '')");
  Do("UPDATE contacts SET address = 'a' WHERE id = 'ada'");
  EXPECT_EQ(Column("address_line1", "ada"), "a");
  Do("UPDATE contacts SET address = 'b', address_line1 = 'b' WHERE id = 'ada'");
  EXPECT_EQ(Column("address_line1", "ada"), "b");
}

TEST_F(MigrationsTest, ResetClearsTheLinesAndNothingElse) {
  ASSERT_TRUE(Create(database_).ok());
  EXPECT_EQ(Reset(database_).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Expand(database_).ok());
  Do("INSERT INTO contacts VALUES ('ada', 'Ada', 'a', 'a', ''), ('bob', 'Bob', 'b', NULL, NULL)");
  EXPECT_EQ(Inspect(database_)->with_lines, 1);
  EXPECT_EQ(Reset(database_).value(), 1);
  EXPECT_EQ(Inspect(database_)->with_lines, 0);
  EXPECT_EQ(Inspect(database_)->contacts, 2);
  EXPECT_EQ(Column("address", "ada"), "a");
}

TEST_F(MigrationsTest, ContractDerivesTheLinesThatAreMissingAndDropsTheAddress) {
  ASSERT_TRUE(Create(database_).ok());
  EXPECT_EQ(Contract(database_).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Expand(database_).ok());
  Do("INSERT INTO contacts VALUES ('ada', 'Ada', 'old', 'new', ''), "
     "('bob', 'Bob', 'Größe 1' || char(10) || 'b' || char(10) || 'c', NULL, NULL), "
     "('cid', 'Cid', 'one line', NULL, NULL), ('dee', 'Dee', '', NULL, NULL)");
  ASSERT_TRUE(Contract(database_).ok());
  EXPECT_TRUE(IsContracted(database_).value());
  EXPECT_TRUE(Inspect(database_)->contracted);
  EXPECT_EQ(Column("address_line1", "ada"), "new") << "what somebody wrote stays";
  EXPECT_EQ(Column("address_line1", "bob"), "Größe 1");
  EXPECT_EQ(Column("address_line2", "bob"), "b\nc");
  EXPECT_EQ(Column("address_line1", "cid"), "one line");
  EXPECT_EQ(Column("address_line2", "cid"), "");
  EXPECT_EQ(Column("address_line1", "dee"), "");
}

TEST_F(MigrationsTest, NothingBringsTheAddressBackOrThrowsTheLinesAway) {
  ASSERT_TRUE(Create(database_).ok());
  ASSERT_TRUE(Expand(database_).ok());
  EXPECT_TRUE(CheckCreated(database_).ok());
  EXPECT_TRUE(CheckLines(database_).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Contract(database_).ok());
  EXPECT_TRUE(Create(database_).ok());
  EXPECT_TRUE(Expand(database_).ok());
  EXPECT_TRUE(IsContracted(database_).value());
  EXPECT_EQ(Reset(database_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckCreated(database_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckExpanded(database_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(CheckLines(database_).ok());
}

TEST(Database, AMissingFileSaysHowToMakeIt) {
  const absl::Status status = Database::Open(testing::TempDir() + "no_such.db").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("addressbook_migrate create"), std::string::npos);
}

}  // namespace
}  // namespace addressbook
