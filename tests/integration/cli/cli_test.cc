// The commands against a real registry, by the sessions in tests/integration/cli/sessions: adding a
// case needs no C++. PINION_UPDATE_SESSIONS=1 writes what is printed now into the files, for a
// person to look at.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "registry/service/registry_server.h"
#include "registry/store/memory_store.h"
#include "tests/integration/cli/session.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"

namespace pinion::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kSessions[] = "tests/integration/cli/sessions";

// A schema of one gRPC service, acme.AddressBook, with `methods`.
std::string DescriptorSet(const std::vector<std::string>& methods) {
  google::protobuf::FileDescriptorSet set;
  CHECK(google::protobuf::TextFormat::ParseFromString(
      R"pb(file {
             name: "addressbook.proto"
             package: "acme"
             syntax: "proto3"
             message_type { name: "Contact" }
             service { name: "AddressBook" }
           })pb",
      &set));
  for (const std::string& name : methods) {
    auto& method = *set.mutable_file(0)->mutable_service(0)->add_method();
    method.set_name(name);
    method.set_input_type(".acme.Contact");
    method.set_output_type(".acme.Contact");
  }
  return set.SerializeAsString();
}

class Cli : public ::testing::TestWithParam<std::string> {
 protected:
  Cli() : source_(fs::current_path()) {
    directory_.Write("v1.binpb", DescriptorSet({"Get"}));
    directory_.Write("v2.binpb", DescriptorSet({"Get", "Search"}));
    directory_.Write("empty.binpb", "");
    directory_.Write("picture.png", "\x89PNG\r\n\x1a\n garbage");
    directory_.Write("static.yaml", ReadFile(source_ / kSessions / "static.yaml"));
    directory_.Write("broken.yaml", ReadFile(source_ / kSessions / "broken.yaml"));
    directory_.Write("waivers.yaml", ReadFile(source_ / kSessions / "waivers.yaml"));
    fs::current_path(directory_.path());
    setenv("TZ", "UTC", /*overwrite=*/1);  // for moments that are shown in the user's zone
    // Sessions name files relative to here, and the registry's socket is among them.
    Start();
  }
  void Start() {
    auto server = service::RegistryServer::Start(
        store_, clock_,
        {.address = "unix:" + directory_.Path("registry.sock"), .binary_version = "0.0.0"});
    CHECK(server.ok());
    server_ = *std::move(server);
  }
  ~Cli() override {
    server_.reset();
    fs::current_path(source_);
  }

  const fs::path source_;
  const testing::TempDirectory directory_;
  FakeClock clock_;
  store::MemoryStore store_{clock_};
  std::unique_ptr<service::RegistryServer> server_;
};

TEST_P(Cli, PrintsWhatTheSessionShows) {
  const fs::path path = source_ / kSessions / (GetParam() + ".session");
  const std::string expected = ReadFile(path);
  const std::string actual = Replay(expected, server_->address());
  if (std::getenv("PINION_UPDATE_SESSIONS") != nullptr) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << actual;
  }
  EXPECT_EQ(actual, expected);
}

std::vector<std::string> SessionNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kSessions)) {
    if (entry.path().extension() == ".session") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Sessions, Cli, ::testing::ValuesIn(SessionNames()),
                         [](const auto& test) { return test.param; });

TEST(Help, ExamplesCanBeMeant) {
  const std::vector<std::string> examples = Examples();
  EXPECT_GT(examples.size(), 80u);
  for (const std::string& line : examples) {
    absl::StatusOr<std::vector<std::string>> words = ShellWords(line);
    ASSERT_TRUE(words.ok()) << words.status();
    words->erase(words->begin());  // pinion
    EXPECT_EQ(Misunderstood(*words), "") << line;
  }
}

using CliWithoutRegistry = Cli;

TEST_F(CliWithoutRegistry, SaysHowToStartOne) {
  const std::string nowhere = "unix:" + directory_.Path("nobody.sock");
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"status"}, {"pin", "list"}, {"explain", "--method", "/acme.AddressBook/Get"}}) {
    const std::string text = RunCommand(words, nowhere);
    EXPECT_THAT(text, HasSubstr("no registry at " + nowhere +
                                " (No such file or directory): "
                                "start `pinion serve`"));
    EXPECT_THAT(text, HasSubstr("[exit 1]"));
  }
  EXPECT_THAT(RunCommand({"status"}, "somewhere"),
              HasSubstr("write HOST:PORT, [IPV6]:PORT or unix:PATH"));
}

TEST_F(CliWithoutRegistry, ALeaseIsHeldUntilTheUserStops) {
  RunCommand({"version", "publish", "addressbook", "1.0.0"}, server_->address());
  const std::string text = RunCommand(
      {"instance", "register", "addressbook", "1.0.0", "127.0.0.1:9001", "--lease", "15s"},
      server_->address());
  EXPECT_THAT(text, HasSubstr("holding a lease of 15s"));
  EXPECT_THAT(text, HasSubstr("deregistered "));
  EXPECT_THAT(RunCommand({"instance", "list"}, server_->address()), HasSubstr("no instances"));
}

TEST_F(CliWithoutRegistry, ALeaseOutlivesARestartOfTheRegistry) {
  const std::string address = server_->address();
  RunCommand({"version", "publish", "addressbook", "1.0.0"}, address);
  std::string instances;
  const std::string text = RunCommand(
      {"instance", "register", "addressbook", "1.0.0", "127.0.0.1:9001", "--lease", "15s"}, address,
      [&](int wait) {
        if (wait == 1) server_.reset();
        if (wait == 3) Start();
        if (wait == 5) instances = RunCommand({"instance", "list"}, address);
        return wait == 5;
      });
  EXPECT_THAT(text, HasSubstr("trying until it succeeds: no registry at "));
  EXPECT_THAT(text, HasSubstr("deregistered "));
  EXPECT_THAT(instances, HasSubstr("127.0.0.1:9001"));
}

TEST_F(CliWithoutRegistry, ALostLeaseIsRegisteredAgain) {
  const std::string address = server_->address();
  RunCommand({"version", "publish", "addressbook", "1.0.0"}, address);
  std::string instances;
  const std::string text = RunCommand(
      {"instance", "register", "addressbook", "1.0.0", "127.0.0.1:9001", "--lease", "15s"}, address,
      [&](int wait) {
        // As if the machine had slept.
        if (wait == 1) clock_.Advance(absl::Seconds(16));
        if (wait == 3) instances = RunCommand({"instance", "list"}, address);
        return wait == 3;
      });
  const std::string registered = "registered addressbook 1.0.0 at 127.0.0.1:9001 (uid ";
  EXPECT_NE(text.find(registered), text.rfind(registered)) << "under another uid: " << text;
  EXPECT_THAT(instances, HasSubstr("127.0.0.1:9001"));
  EXPECT_THAT(RunCommand({"instance", "list"}, address), HasSubstr("no instances"));
}

TEST_F(CliWithoutRegistry, CollectsWhatWasNeverActive) {
  const std::string address = server_->address();
  for (const char* version : {"1.0.0", "1.1.0", "2.0.0"}) {
    RunCommand({"version", "publish", "addressbook", version}, address);
  }
  RunCommand({"instance", "register", "addressbook", "1.0.0", "127.0.0.1:9001"}, address);
  RunCommand({"consumer", "add", "billing"}, address);
  RunCommand({"pin", "set", "billing", "addressbook", "2.0.0"}, address);
  const auto collect = [&address](const std::string& flag) {
    return RunCommand({"version", "gc", "--older-than", "1h", "--reason", "tidy", flag}, address);
  };
  EXPECT_EQ(collect("--json"), "{\n \"versions\": [],\n \"nextPageToken\": \"\"\n}\n");
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(collect("--dry-run"), HasSubstr("never active: addressbook 1.1.0, published "));
  const std::string text =
      RunCommand({"version", "gc", "--older-than", "1h", "--reason", "tidy"}, address);
  EXPECT_THAT(text,
              HasSubstr("deleted addressbook 1.1.0, published 2027-01-15 08:00:00Z by alice"));
  EXPECT_THAT(text, HasSubstr("kept: addressbook 2.0.0 cannot be deleted yet: 1 pin"));
  EXPECT_THAT(RunCommand({"version", "list"}, address), ::testing::Not(HasSubstr("1.1.0")));
}

}  // namespace
}  // namespace pinion::testing
