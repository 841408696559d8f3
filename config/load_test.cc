// What a folder of files cannot show: descriptor sets, paths, permissions, sizes.
#include "config/load.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "config/static_routing.h"
#include "config/validate.h"
#include "config/yaml_tree.h"
#include "tests/testing/certificates.h"
#include "tests/testing/temp_directory.h"

namespace pinion::config {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::ServiceDescriptorProto;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class LoadTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) { return directory_.Path(name); }

  void Write(const std::string& name, const std::string& bytes) { directory_.Write(name, bytes); }

  absl::StatusOr<Loaded> Load(const std::string& text) { return LoadText(text, Path("p.yaml")); }

  std::string Errors(const std::string& text) { return std::string(Load(text).status().message()); }

  const testing::TempDirectory directory_;
};

// Service acme.v1.NAME with these methods, whose messages are in another file unless `whole`.
void AddService(FileDescriptorSet& set, const std::string& name,
                const std::vector<std::string>& methods) {
  FileDescriptorProto& file = *set.add_file();
  file.set_name(absl::StrCat(name, ".proto"));
  file.set_package("acme.v1");
  file.set_syntax("proto3");
  file.add_dependency("message.proto");
  ServiceDescriptorProto& service = *file.add_service();
  service.set_name(name);
  for (const std::string& name : methods) {
    auto& method = *service.add_method();
    method.set_name(name);
    method.set_input_type(".acme.v1.M");
    method.set_output_type(".acme.v1.M");
  }
}

void AddMessages(FileDescriptorSet& set) {
  FileDescriptorProto& file = *set.add_file();
  file.set_name("message.proto");
  file.set_package("acme.v1");
  file.set_syntax("proto3");
  file.add_message_type()->set_name("M");
}

constexpr const char* kTwoVersions = R"(
static_resources:
  services:
  - name: orders
    scheme: INTEGER
    versions:
    - {name: 1, descriptor_set_file: 1.binpb}
    - {name: 2, descriptor_set_file: 2.binpb}
)";

TEST_F(LoadTest, DescriptorSetsGiveServicesAndMethods) {
  FileDescriptorSet one, two;
  AddService(one, "Orders", {"Get", "List"});
  AddMessages(one);  // behind its user: the order of the files does not matter
  AddMessages(two);
  AddService(two, "Orders", {"Get"});
  AddService(two, "Returns", {"Take"});
  FileDescriptorProto& health = *two.add_file();
  health.set_name("health.proto");
  health.set_package("grpc.health.v1");
  health.add_service()->set_name("Health");
  Write("1.binpb", one.SerializeAsString());
  Write("2.binpb", two.SerializeAsString());
  const auto loaded = Load(absl::StrCat(kTwoVersions, R"(
  consumers:
  - name: billing
    method_pins: {/acme.v1.Orders/List: "1", /acme.v1.Returns/Take: "2"}
)"));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->bootstrap.static_resources().services(0).versions(0).descriptor_set_file(),
            Path("1.binpb"));
  const auto resources = StaticRouting(loaded->bootstrap);
  ASSERT_TRUE(resources.ok()) << resources.status();
  EXPECT_THAT((*resources)[0].service().grpc_services(),
              ElementsAre("acme.v1.Orders", "acme.v1.Returns"));
  const routing::v1::Version& first = (*resources)[1].version();
  ASSERT_EQ(first.methods_size(), 1);
  EXPECT_EQ(first.methods(0).grpc_service(), "acme.v1.Orders");
  EXPECT_THAT(first.methods(0).methods(), ElementsAre("Get", "List"));
  EXPECT_EQ(first.schema_digest().size(), 64u);
  const routing::v1::Version& second = (*resources)[2].version();
  ASSERT_EQ(second.methods_size(), 2);
  EXPECT_EQ(second.methods(1).grpc_service(), "acme.v1.Returns");

  Write("2.binpb", "gone");
  EXPECT_THAT(std::string(StaticRouting(loaded->bootstrap).status().message()),
              HasSubstr("not a FileDescriptorSet"));
}

TEST_F(LoadTest, DescriptorSetsCheckClaimsAndMethods) {
  FileDescriptorSet set;
  AddMessages(set);
  AddService(set, "Orders", {"Get", "List"});
  Write("1.binpb", set.SerializeAsString());
  Write("2.binpb", set.SerializeAsString());
  const std::string errors = Errors(R"(
static_resources:
  services:
  - name: orders
    scheme: INTEGER
    grpc_services: [acme.v1.Orders, acme.v1.Order]
    versions: [{name: 1, descriptor_set_file: 1.binpb}, {name: 2, descriptor_set_file: 2.binpb}]
  - name: other
    scheme: INTEGER
    versions: [{name: 1, descriptor_set_file: 1.binpb}]
  consumers:
  - name: billing
    method_pins: {/acme.v1.Orders/Lits: "1"}
)");
  const std::string path = Path("p.yaml");
  EXPECT_EQ(errors,
            absl::StrCat(path,
                         ":6:37: no descriptor set of service \"orders\" defines "
                         "acme.v1.Order (did you mean \"acme.v1.Orders\"?)\n",
                         path, ":8:5: acme.v1.Orders is claimed by service \"orders\"\n", path,
                         ":13:19: no version of acme.v1.Orders has a method \"Lits\" (did you "
                         "mean \"List\"?)"));
}

TEST_F(LoadTest, IncompleteDescriptorSets) {
  FileDescriptorSet no_imports, no_services, twice;
  AddService(no_imports, "Orders", {"Get"});
  AddMessages(no_services);
  AddMessages(twice);
  AddMessages(twice);
  Write("1.binpb", no_imports.SerializeAsString());
  Write("2.binpb", no_services.SerializeAsString());
  const std::string errors = Errors(kTwoVersions);
  EXPECT_THAT(errors, HasSubstr("1.binpb: the descriptor set lacks message.proto"));
  EXPECT_THAT(errors, HasSubstr("--include_imports"));
  EXPECT_THAT(errors,
              HasSubstr("2.binpb: the descriptor set has none of the service's gRPC services"));
  Write("1.binpb", twice.SerializeAsString());
  EXPECT_THAT(Errors(kTwoVersions), HasSubstr("message.proto is in the set twice"));
}

TEST_F(LoadTest, PathsBeginAtTheFile) {
  std::filesystem::create_directories(Path("data"));
  const auto loaded = Load(R"(
listeners:
- {name: a, address: {pipe: {path: a.sock}}}
gateway: {snapshot_dir: data}
registry: {address: {pipe: {path: /run/pinion.sock}}, store: {sqlite: {path: ./data/../pinion.db}}}
)");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->bootstrap.listeners(0).address().pipe().path(), Path("a.sock"));
  EXPECT_EQ(loaded->bootstrap.gateway().snapshot_dir(), Path("data"));
  EXPECT_EQ(loaded->bootstrap.registry().address().pipe().path(), "/run/pinion.sock");
  EXPECT_EQ(loaded->bootstrap.registry().store().sqlite().path(), Path("pinion.db"));
}

TEST_F(LoadTest, WhatTheFileDoesNotSayIsNotSet) {
  auto loaded = Load("node: {id: a}\n");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->bootstrap.ShortDebugString(), "node { id: \"a\" }");
}

TEST_F(LoadTest, UnreadableFiles) {
  EXPECT_EQ(LoadFile(Path("none.yaml")).status().message(),
            absl::StrCat(Path("none.yaml"), ": cannot be read: No such file or directory"));
  EXPECT_EQ(LoadFile(directory_.path()).status().message(),
            absl::StrCat(directory_.path(), ": cannot be read: it is a directory"));
}

TEST_F(LoadTest, NothingIsWaitedForThatMayNeverCome) {
  const std::string pipe = Path("pipe.yaml");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(LoadFile(pipe).status().message(),
            absl::StrCat(pipe, ": cannot be read: it is a named pipe, not a file"));
  EXPECT_EQ(LoadFile("/dev/zero").status().message(),
            "/dev/zero: cannot be read: it is a device, not a file");
}

// As a shell's `<(command)` and `command | pinion validate /dev/stdin` give it.
TEST_F(LoadTest, APipeThatWasGivenOpenIsReadToItsEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([end = ends[1]] {
    for (const absl::string_view part : {"node: ", "{id: a}\n"}) {
      EXPECT_EQ(write(end, part.data(), part.size()), static_cast<ssize_t>(part.size()));
    }
    close(end);
  });
  const auto loaded = LoadFile(absl::StrCat("/dev/fd/", ends[0]));
  writer.join();
  close(ends[0]);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->bootstrap.node().id(), "a");
}

TEST_F(LoadTest, SizesAreBounded) {
  EXPECT_EQ(Errors(std::string(kMaxYamlBytes + 1, '#')),
            absl::StrCat(Path("p.yaml"), ": larger than 32 MiB"));
  Write("large.yaml", std::string(kMaxYamlBytes + 1, '#'));
  EXPECT_EQ(LoadFile(Path("large.yaml")).status().message(),
            absl::StrCat(Path("large.yaml"), ": is larger than 32 MiB"));
}

// A fleet's worth of consumers in one file.
TEST_F(LoadTest, ManyConsumers) {
  std::string text = R"(
static_resources:
  services:
  - {name: orders, scheme: SEMVER, grpc_services: [acme.v1.Orders], versions: [{name: 1.0.0}]}
  consumers:
)";
  for (int i = 0; i < 5'000; ++i)
    absl::StrAppend(&text, "  - {name: c", i, ", pins: {orders: ^1}}\n");
  const auto loaded = Load(text);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(
      Summary(*loaded),
      absl::StrCat(Path("p.yaml"), ": ok (0 listeners, 1 service, 1 version, 5000 consumers)"));
  EXPECT_EQ(StaticRouting(loaded->bootstrap)->size(), 3u + 2 * 5'000);
}

// Certificates expire, so they are made here and not kept in testdata.
TEST_F(LoadTest, TlsFilesAreReadFromTheFilesDirectory) {
  const pinion::testing::CertificateAuthority ca;
  ca.Write(directory_.path(), "ca");
  ca.Issue(directory_.path(), "server", {});
  ca.Issue(directory_.path(), "old", {.valid = -absl::Hours(2)});
  const auto text = [](const std::string& name, const std::string& key) {
    return absl::StrCat(
        "listeners:\n- name: a\n  address: {socket_address: {address: 127.0.0.1, port_value: 1}}\n"
        "  tls: {tls_certificates: [{certificate_chain: ",
        name, ".crt, private_key: ", key,
        ".key}], trusted_ca: ca.crt, require_client_certificate: true}\n"
        "gateway: {upstream_tls: [{trusted_ca: ca.crt}]}\n");
  };
  const auto good = LoadText(text("server", "server"), Path("p.yaml"));
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_THAT(TlsWarnings(good->bootstrap, SystemClock().Wall()), SizeIs(0));
  const auto expired = LoadText(text("old", "old"), Path("p.yaml"));
  ASSERT_TRUE(expired.ok()) << "old and usable: " << expired.status();
  EXPECT_THAT(TlsWarnings(expired->bootstrap, SystemClock().Wall()),
              ElementsAre(HasSubstr("old.crt: the certificate has expired on")));
  const auto mixed = LoadText(text("server", "old"), Path("p.yaml"));
  EXPECT_THAT(std::string(mixed.status().message()),
              HasSubstr("p.yaml:4:73: the private key in " + Path("old.key") +
                        " does not belong to the first certificate in " + Path("server.crt")));
}

}  // namespace
}  // namespace pinion::config
