// The whole story of the address book, told by its real programs: the database goes from 1.0.0
// to 2.0.0, back, and forwards again, each step under load on all servers that run; after each,
// every row is looked at through every version and in the file itself. Then the static pages, whose
// pointer moves there and back under visitors.
#include <civetweb.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "examples/addressbook/db/migrations.h"
#include "examples/addressbook/testing/load.h"
#include "examples/addressbook/testing/process.h"
#include "examples/addressbook/testing/world.h"
#include "grpc/health/v1/health.pb.h"

namespace addressbook {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class TempFolder {
 public:
  TempFolder() : path_(testing::TempDir() + "addressbook.XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class MigrationTest : public testing::Test {
 protected:
  MigrationTest() : world_(folder_.path()) {}

  void StartWithContacts() {
    ASSERT_EQ(world_.Migrate("create"), 0);
    ASSERT_TRUE(world_.Start(k1));
    for (int i = 0; i < kContacts; ++i) WriteContact(world_, book_, k1, i);
    CheckEveryRow("1.0.0 alone");
  }

  // Does the step while threads read and write, lets them go on for a while, and checks every row.
  void UnderLoad(const std::string& step, const std::function<void()>& action) {
    SCOPED_TRACE(step);
    {
      Load load(world_, book_);
      load.AwaitRounds();
      action();
      for (int i = 0; i < 5; ++i) load.AwaitRounds();
    }
    CheckEveryRow(step);
  }

  // REQUIRES: nobody writes, so that each contact shows what was stored last and nothing else.
  void CheckEveryRow(const std::string& step) {
    SCOPED_TRACE(step);
    for (const Release release : kReleases) {
      for (int i = 0; i < kContacts; ++i) {
        ASSERT_EQ(book_.Get(i).stored, book_.Get(i).tried);
        CheckContact(world_, book_, release, i);
      }
      CheckList(world_, book_, release);
    }
    CheckFile();
    EXPECT_THAT(book_.Failures(), IsEmpty());
  }

  // Until the contraction the old column says everything at all times, which is why 2.0.0 can
  // always be taken back; the new ones say the same or nothing.
  void CheckFile() {
    Database database = *Database::Open(world_.db());
    if (*IsContracted(database)) return CheckContractedFile(database);
    const bool expanded = *IsExpanded(database);
    Statement rows = *database.Prepare(
        absl::StrCat("SELECT id, name, address", expanded ? ", address_line1, address_line2" : "",
                     " FROM contacts ORDER BY id"));
    for (int i = 0; i < kContacts; ++i) {
      ASSERT_TRUE(*rows.Step());
      const int n = book_.Get(i).stored;
      const AddressLines lines = ContactLines(i, n);
      EXPECT_EQ(rows.Text(0), ContactId(i));
      EXPECT_EQ(rows.Text(1), ContactName(i, n));
      EXPECT_EQ(rows.Text(2), JoinAddress(lines));
      if (!expanded || !rows.NullableText(3).has_value()) continue;
      EXPECT_EQ(rows.Text(3), lines.line1);
      EXPECT_EQ(rows.NullableText(4), lines.line2);
    }
    EXPECT_FALSE(*rows.Step());
  }

  void CheckContractedFile(Database& database) {
    Statement rows = *database.Prepare(
        "SELECT id, name, address_line1, address_line2 FROM contacts ORDER BY id");
    for (int i = 0; i < kContacts; ++i) {
      ASSERT_TRUE(*rows.Step());
      const int n = book_.Get(i).stored;
      EXPECT_EQ(rows.Text(0), ContactId(i));
      EXPECT_EQ(rows.Text(1), ContactName(i, n));
      EXPECT_EQ((AddressLines{rows.Text(2), rows.Text(3)}), ContactLines(i, n));
    }
    EXPECT_FALSE(*rows.Step());
  }

  Progress InspectFile() {
    Database database = *Database::Open(world_.db());
    return *Inspect(database);
  }

  TempFolder folder_;
  World world_;
  Book book_;
};

TEST_F(MigrationTest, ForwardsBackAndForwardsAgainUnderLoad) {
  ASSERT_NO_FATAL_FAILURE(StartWithContacts());

  UnderLoad("the expand migration while 1.0.0 runs",
            [&] { ASSERT_EQ(world_.Migrate("expand"), 0); });
  EXPECT_EQ(InspectFile().with_lines, 0);

  UnderLoad("2.0.0 beside 1.0.0", [&] { ASSERT_TRUE(world_.Start(k2)); });
  EXPECT_EQ(InspectFile().with_lines, kContacts) << "2.0.0 has read every contact";

  UnderLoad("back to 1.0.0", [&] { ASSERT_TRUE(world_.Stop(k2)); });

  // A 2.0.0 with a mistake may have been the reason to go back. What it left in its columns does
  // not count.
  ASSERT_TRUE(
      Database::Open(world_.db())->Execute("UPDATE contacts SET address_line1 = 'wrong'").ok());
  UnderLoad("reset while 1.0.0 runs", [&] { ASSERT_EQ(world_.Migrate("reset"), 0); });
  EXPECT_EQ(InspectFile().with_lines, 0);

  UnderLoad("2.0.0 again", [&] { ASSERT_TRUE(world_.Start(k2)); });
  EXPECT_EQ(InspectFile().with_lines, kContacts);

  UnderLoad("back once more", [&] { ASSERT_TRUE(world_.Stop(k2)); });
  UnderLoad("and forwards, without a reset", [&] { ASSERT_TRUE(world_.Start(k2)); });
}

TEST_F(MigrationTest, AndContractsUnderLoadOnceNobodyNeedsTheOldColumn) {
  ASSERT_NO_FATAL_FAILURE(StartWithContacts());
  ASSERT_EQ(world_.Migrate("expand"), 0);
  ASSERT_TRUE(world_.Start(k2));
  UnderLoad("2.1.0 beside both", [&] { ASSERT_TRUE(world_.Start(k2_1)); });
  UnderLoad("2.0.0 goes", [&] { ASSERT_TRUE(world_.Stop(k2)); });
  // What 1.0.0 writes until its end has no lines yet: 2.1.0 migrates nothing.
  for (int i = 0; i < kContacts; ++i) WriteContact(world_, book_, k1, i);
  EXPECT_EQ(InspectFile().with_lines, 0);
  UnderLoad("1.0.0 goes", [&] { ASSERT_TRUE(world_.Stop(k1)); });
  UnderLoad("the contraction", [&] { ASSERT_EQ(world_.Migrate("contract"), 0); });
  EXPECT_TRUE(InspectFile().contracted);
  EXPECT_FALSE(world_.Start(k1));
  EXPECT_FALSE(world_.Start(k2));
  EXPECT_NE(world_.Migrate("reset"), 0);
}

TEST_F(MigrationTest, TheStepsCanBeRepeatedWhileBothVersionsRun) {
  ASSERT_NO_FATAL_FAILURE(StartWithContacts());
  ASSERT_EQ(world_.Migrate("expand"), 0);
  ASSERT_TRUE(world_.Start(k2));
  for (const char* step : {"create", "expand", "reset", "expand", "reset"}) {
    UnderLoad(step, [&] { ASSERT_EQ(world_.Migrate(step), 0); });
  }
}

// An acknowledged write is in the file also when nobody had the time to shut down.
TEST_F(MigrationTest, AKilledServerLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(StartWithContacts());
  ASSERT_EQ(world_.Migrate("expand"), 0);
  ASSERT_TRUE(world_.Start(k2));
  for (int i = 0; i < kContacts; ++i) WriteContact(world_, book_, k2, i);
  world_.Kill(k2);
  ASSERT_TRUE(world_.Start(k2));
  CheckEveryRow("after a kill");
}

TEST_F(MigrationTest, Version2RefusesADatabaseThatIsNotExpanded) {
  ASSERT_EQ(world_.Migrate("create"), 0);
  EXPECT_FALSE(world_.Start(k2));
  EXPECT_NE(world_.Migrate("reset"), 0);
}

// ---- one server ----

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    EXPECT_EQ(RunProgram("addressbook_migrate", {"create", "--db", db_}).exit_code, 0);
  }

  Process Start(const std::string& listen) {
    return Process({ProgramFolder() + "/addressbook_v1", "--db", db_, "--listen", listen});
  }

  TempFolder folder_;
  const std::string db_ = folder_.path() + "/addressbook.db";
};

TEST_F(ServerTest, AnswersHealthChecks) {
  Process server = Start("127.0.0.1:0");
  const auto channel =
      grpc::CreateChannel(server.ReadAfter("listening on "), grpc::InsecureChannelCredentials());
  for (const char* service : {"", "acme.AddressBook"}) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    grpc::ClientContext context;
    grpc::CompletionQueue done;
    auto call = grpc::TemplatedGenericStub<grpc::health::v1::HealthCheckRequest,
                                           grpc::health::v1::HealthCheckResponse>(channel)
                    .PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &done);
    call->StartCall();
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag;
    bool ok;
    ASSERT_TRUE(done.Next(&tag, &ok));
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }
}

TEST_F(ServerTest, EndsOnSigterm) {
  Process server = Start("127.0.0.1:0");
  EXPECT_NE(server.ReadAfter("listening on "), "");
  EXPECT_EQ(server.Stop(), 0);
}

TEST_F(ServerTest, APortInUseIsNotShared) {
  Process first = Start("127.0.0.1:0");
  Process second = Start(first.ReadAfter("listening on "));
  EXPECT_EQ(second.ReadAfter("listening on "), "");
  EXPECT_EQ(second.Wait(), 1);
}

// ---- static pages ----

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The page's body; empty for anything but 200.
std::string Fetch(int port, const std::string& path) {
  char error[200];
  mg_connection* connection =
      mg_download("127.0.0.1", port, 0, error, sizeof error,
                  "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", path.c_str());
  if (connection == nullptr) return "";
  std::string body;
  char buffer[4096];
  for (int size; (size = mg_read(connection, buffer, sizeof buffer)) > 0;) {
    body.append(buffer, static_cast<size_t>(size));
  }
  const bool found = mg_get_response_info(connection)->status_code == 200;
  mg_close_connection(connection);
  return found ? body : "";
}

class PagesTest : public testing::Test {
 protected:
  PagesTest() : root_(folder_.path() + "/static") {
    std::filesystem::copy("examples/addressbook/static", root_,
                          std::filesystem::copy_options::recursive);
    RunProgram("addressbook_migrate", {"create", "--db", db_});
  }

  void SetUp() override {
    ASSERT_EQ(PointTo("1.0.0"), 0);
    server_.emplace(std::vector<std::string>{ProgramFolder() + "/addressbook_v1", "--db", db_,
                                             "--static-root", root_});
    const std::string url = server_->ReadAfter("pages on http://127.0.0.1:");
    ASSERT_TRUE(absl::SimpleAtoi(url.substr(0, url.find('/')), &port_));
  }

  int PointTo(const std::string& version) {
    return RunProgram("addressbook_pages", {version, "--static-root", root_}).exit_code;
  }
  std::string Page(const std::string& version) {
    return ReadFile(absl::StrCat(root_, "/", version, "/index.html"));
  }

  TempFolder folder_;
  std::string root_;
  std::string db_ = folder_.path() + "/addressbook.db";
  std::optional<Process> server_;
  int port_ = 0;
};

TEST_F(PagesTest, EachVersionStaysWhereItIsAndThePointerMovesThereAndBack) {
  for (const std::string current : {"1.0.0", "2.0.0", "1.0.0"}) {
    ASSERT_EQ(PointTo(current), 0);
    EXPECT_EQ(Fetch(port_, "/current/"), Page(current));
    EXPECT_EQ(Fetch(port_, "/1.0.0/"), Page("1.0.0"));
    EXPECT_EQ(Fetch(port_, "/2.0.0/"), Page("2.0.0"));
  }
  EXPECT_THAT(Page("1.0.0"), HasSubstr("name=\"address\""));
  EXPECT_THAT(Page("2.0.0"), HasSubstr("name=\"address_line1\""));
}

TEST_F(PagesTest, AVersionThatIsNotThereLeavesThePointer) {
  EXPECT_NE(PointTo("3.0.0"), 0);
  EXPECT_NE(PointTo("../static/2.0.0"), 0);
  EXPECT_NE(PointTo("current"), 0);
  EXPECT_EQ(Fetch(port_, "/current/"), Page("1.0.0"));
}

TEST_F(PagesTest, VisitorsSeeOneVersionOrTheOtherWhileThePointerMoves) {
  const std::string first = Page("1.0.0"), second = Page("2.0.0");
  std::atomic<bool> stopped = false;
  std::atomic<int> seen[2] = {}, neither = 0;
  std::thread visitor([&stopped, &seen, &neither, &first, &second, port = port_] {
    while (!stopped) {
      const std::string page = Fetch(port, "/current/");
      ++(page == first ? seen[0] : page == second ? seen[1] : neither);
    }
  });
  for (int moves = 0; moves < 1000 && (moves < 20 || seen[0] == 0 || seen[1] == 0); ++moves) {
    EXPECT_EQ(PointTo(moves % 2 == 0 ? "2.0.0" : "1.0.0"), 0);
  }
  stopped = true;
  visitor.join();
  EXPECT_EQ(neither, 0);
  EXPECT_GT(seen[0], 0);
  EXPECT_GT(seen[1], 0);
}

}  // namespace
}  // namespace addressbook
