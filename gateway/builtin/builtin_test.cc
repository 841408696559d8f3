// Health and reflection as a caller sees them, without a connection.
#include <google/protobuf/descriptor.pb.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "gateway/builtin/call.h"
#include "gateway/builtin/look_budget.h"
#include "gateway/route/testing_table.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "gtest/gtest.h"

namespace pinion::builtin {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using testing::ElementsAre;

struct Answers final : Sink {
  std::vector<std::string> messages;
  std::vector<absl::Cord> cords;  // the same
  std::vector<size_t> shared_bytes;
  std::vector<absl::Status> ends;
  void Send(absl::Cord message, size_t shared) override {
    messages.push_back(std::string(message));
    cords.push_back(std::move(message));
    shared_bytes.push_back(shared);
  }
  size_t looks = 0;
  bool may_look = true;
  bool MayLook(size_t services) override {
    looks += services;
    return may_look;
  }
  void End(const absl::Status& status) override { ends.push_back(status); }
};

// A file with one service of the given package and one message that only this version has.
std::string SchemaWith(const std::string& message) {
  google::protobuf::FileDescriptorSet set;
  auto* base = set.add_file();
  base->set_name("base.proto");
  base->set_package("acme");
  base->add_message_type()->set_name("Base");
  auto* file = set.add_file();
  file->set_name("book.proto");
  file->set_package("acme");
  file->add_dependency("base.proto");
  file->add_message_type()->set_name(message);
  file->add_service()->set_name("Book");
  return set.SerializeAsString();
}

class BuiltinTest : public testing::Test {
 protected:
  BuiltinTest() {
    route::PutAll(builder_,
                  {"service { name: 'book' scheme: SEMVER grpc_services: 'acme.Book' }",
                   "version { service: 'book' name: '1.0.0' state: ACTIVE schema_digest: 'one' }",
                   "version { service: 'book' name: '2.0.0' state: ACTIVE schema_digest: 'two' }",
                   "instance { service: 'book' version: '2.0.0' uid: 'u' "
                   "address { socket_address { address: '127.0.0.1' port_value: 1 } } }",
                   "channel { service: 'book' name: 'stable' version: '1.0.0' }",
                   "consumer { name: 'shipping' }",
                   "pin { consumer: 'shipping' service: 'book' expression: '^2' }"});
    builder_.PutSchema("one", SchemaWith("OnlyInOne"));
    builder_.PutSchema("two", SchemaWith("OnlyInTwo"));
    table_ = builder_.Build();
  }

  std::unique_ptr<Call> Begin(const std::string& path, const std::string& identity,
                              Answers& answers) {
    return Start(*route::ParseMethodPath(path),
                 {.table = table_, .identity = identity, .consumer_required = consumer_required_},
                 answers);
  }

  std::string Check(const std::string& service, const std::string& identity = "") {
    Answers answers;
    HealthCheckRequest request;
    request.set_service(service);
    const auto call = Begin("/grpc.health.v1.Health/Check", identity, answers);
    call->OnMessage(request.SerializeAsString());
    EXPECT_EQ(answers.ends.size(), 1u);
    if (!answers.ends[0].ok()) return absl::StatusCodeToString(answers.ends[0].code());
    HealthCheckResponse response;
    EXPECT_TRUE(response.ParseFromString(answers.messages.at(0)));
    return HealthCheckResponse::ServingStatus_Name(response.status());
  }

  ServerReflectionResponse Reflect(const ServerReflectionRequest& request,
                                   const std::string& identity) {
    Answers answers;
    const auto call =
        Begin("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", identity, answers);
    call->OnMessage(request.SerializeAsString());
    ServerReflectionResponse response;
    EXPECT_TRUE(response.ParseFromString(answers.messages.at(0)));
    call->OnHalfClose();
    EXPECT_THAT(answers.ends, ElementsAre(absl::OkStatus()));
    return response;
  }

  std::vector<std::string> Services(const std::string& identity) {
    ServerReflectionRequest request;
    request.set_list_services("*");
    std::vector<std::string> names;
    const ServerReflectionResponse response = Reflect(request, identity);
    for (const auto& service : response.list_services_response().service()) {
      if (!IsBuiltin(service.name())) names.push_back(service.name());
    }
    return names;
  }

  std::vector<std::string> FilesOfSymbol(const std::string& symbol, const std::string& identity) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    const ServerReflectionResponse response = Reflect(request, identity);
    std::vector<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  route::TableBuilder builder_;
  std::shared_ptr<const route::RouteTable> table_;
  bool consumer_required_ = false;
};

TEST_F(BuiltinTest, CheckTellsOfTheGatewayAndOfTheVersionThatThisCallerGets) {
  EXPECT_EQ(Check(""), "SERVING");
  EXPECT_EQ(Check("acme.Book"), "NOT_SERVING") << "1.0.0 has no instance";
  EXPECT_EQ(Check("acme.Book", "shipping"), "SERVING");
  EXPECT_EQ(Check("acme.Film"), "NOT_FOUND");
  EXPECT_EQ(Check("grpc.health.v1.Health"), "SERVING");
  table_ = std::make_shared<route::RouteTable>();
  EXPECT_EQ(Check(""), "NOT_SERVING") << "no table yet";
}

TEST_F(BuiltinTest, WatchSendsAtOnceAndOnChange) {
  Answers answers;
  HealthCheckRequest request;
  request.set_service("acme.Book");
  const auto call = Begin("/grpc.health.v1.Health/Watch", "", answers);
  call->OnMessage(request.SerializeAsString());
  call->OnTable(table_);
  EXPECT_EQ(answers.messages.size(), 1u) << "nothing changed";
  route::PutAll(builder_, {"instance { service: 'book' version: '1.0.0' uid: 'v' "
                           "address { socket_address { address: '127.0.0.1' port_value: 2 } } }"});
  call->OnTable(builder_.Build());
  HealthCheckResponse response;
  ASSERT_EQ(answers.messages.size(), 2u);
  ASSERT_TRUE(response.ParseFromString(answers.messages[1]));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  call->OnTable(std::make_shared<route::RouteTable>());
  ASSERT_TRUE(response.ParseFromString(answers.messages.at(2)));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  EXPECT_TRUE(answers.ends.empty()) << "a watch ends with its caller";
}

TEST_F(BuiltinTest, MalformedAndMissingRequestsEndTheCall) {
  for (const char* path : {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                           "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    Answers answers;
    Begin(path, "", answers)->OnMessage("\xff\xff");
    ASSERT_EQ(answers.ends.size(), 1u) << path;
    EXPECT_EQ(answers.ends[0].code(), absl::StatusCode::kInvalidArgument) << path;
  }
  Answers answers;
  Begin("/grpc.health.v1.Health/Check", "", answers)->OnHalfClose();
  EXPECT_EQ(answers.ends.at(0).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Begin("/grpc.health.v1.Health/Nope", "", answers), nullptr);
}

TEST_F(BuiltinTest, ReflectionListsWhatTheCallerCanCall) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  std::vector<std::string> names;
  const ServerReflectionResponse response = Reflect(request, "");
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, ElementsAre("acme.Book", "grpc.health.v1.Health",
                                 "grpc.reflection.v1.ServerReflection",
                                 "grpc.reflection.v1alpha.ServerReflection"));
}

TEST_F(BuiltinTest, ReflectionShowsEachCallerItsOwnVersion) {
  EXPECT_THAT(FilesOfSymbol("acme.OnlyInOne", ""), ElementsAre("book.proto", "base.proto"));
  EXPECT_THAT(FilesOfSymbol("acme.OnlyInTwo", "shipping"), ElementsAre("book.proto", "base.proto"));
  EXPECT_THAT(FilesOfSymbol("acme.Base", ""), ElementsAre("base.proto"));
  ServerReflectionRequest request;
  request.set_file_containing_symbol("acme.OnlyInTwo");
  EXPECT_EQ(Reflect(request, "").error_response().error_code(), 5) << "that is the other version's";
}

// 'album' comes before 'book', and imports the file of its gRPC service as it once was.
TEST_F(BuiltinTest, ReflectionAsksTheOwnerOfAServiceAndNotWhoImportsIt) {
  route::PutAll(builder_,
                {"service { name: 'album' scheme: SEMVER grpc_services: 'acme.Album' }",
                 "version { service: 'album' name: '1.0.0' state: ACTIVE schema_digest: 'old' }",
                 "channel { service: 'album' name: 'stable' version: '1.0.0' }"});
  builder_.PutSchema("old", SchemaWith("OnlyInOld"));
  table_ = builder_.Build();
  ServerReflectionRequest request;
  for (const char* symbol : {"acme.Book", "acme.Book.Get"}) {
    request.set_file_containing_symbol(symbol);
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(
        Reflect(request, "").file_descriptor_response().file_descriptor_proto(0)));
    EXPECT_EQ(file.message_type(0).name(), "OnlyInOne") << symbol;
  }
  EXPECT_THAT(FilesOfSymbol("acme.OnlyInOld", ""), ElementsAre("book.proto", "base.proto"));
  request.set_file_by_filename("book.proto");
  google::protobuf::FileDescriptorProto file;
  ASSERT_TRUE(file.ParseFromString(
      Reflect(request, "").file_descriptor_response().file_descriptor_proto(0)));
  EXPECT_EQ(file.message_type(0).name(), "OnlyInOld") << "of several, the first by name";
}

TEST_F(BuiltinTest, ReflectionShowsEachPackageInItsVersion) {
  route::PutAll(builder_,
                {"service { name: 'film' scheme: K8S version_from_package: true grpc_services: "
                 "'acme.v1.Film' grpc_services: 'acme.v2.Film' grpc_services: 'acme.v3.Film' }",
                 "version { service: 'film' name: 'v1' state: ACTIVE schema_digest: 'one' }",
                 "version { service: 'film' name: 'v2' state: ACTIVE schema_digest: 'film' }"});
  builder_.PutSchema("film", SchemaWith("OnlyInFilm"));
  table_ = builder_.Build();
  EXPECT_THAT(Services(""), ElementsAre("acme.Book", "acme.v1.Film", "acme.v2.Film"));
  EXPECT_THAT(FilesOfSymbol("acme.OnlyInFilm", ""), ElementsAre("book.proto", "base.proto"));
}

TEST_F(BuiltinTest, ReflectionFindsExtensions) {
  google::protobuf::FileDescriptorSet set;
  auto* file = set.add_file();
  file->set_name("options.proto");
  file->set_package("acme");
  file->add_message_type()->set_name("Options");
  for (int number : {9, 4}) {
    auto* extension = file->add_extension();
    extension->set_name("x" + std::to_string(number));
    extension->set_extendee(".acme.Options");
    extension->set_number(number);
  }
  route::PutAll(builder_,
                {"version { service: 'book' name: '1.0.0' state: ACTIVE schema_digest: 'ext' }"});
  builder_.PutSchema("ext", set.SerializeAsString());
  table_ = builder_.Build();
  ServerReflectionRequest request;
  request.set_all_extension_numbers_of_type("acme.Options");
  const auto numbers = Reflect(request, "").all_extension_numbers_response();
  EXPECT_EQ(numbers.base_type_name(), "acme.Options");
  EXPECT_THAT(numbers.extension_number(), ElementsAre(4, 9));
  EXPECT_EQ(Reflect(request, "shipping").error_response().error_code(), 5);
  request.mutable_file_containing_extension()->set_containing_type("acme.Options");
  request.mutable_file_containing_extension()->set_extension_number(4);
  EXPECT_EQ(Reflect(request, "").file_descriptor_response().file_descriptor_proto_size(), 1);
}

// A hundred streams that ask for a schema and read nothing cost its memory once.
TEST_F(BuiltinTest, AnswersOfManyCallsShareTheBytesOfOneSchema) {
  constexpr size_t kSchemaBytes = 100'000;
  {
    route::TableBuilder builder;
    route::PutAll(builder,
                  {"service { name: 'book' scheme: SEMVER grpc_services: 'acme.Book' }",
                   "version { service: 'book' name: '1.0.0' state: ACTIVE schema_digest: 'd' }",
                   "channel { service: 'book' name: 'stable' version: '1.0.0' }"});
    builder.PutSchema("d", SchemaWith(std::string(kSchemaBytes, 'm')));
    table_ = builder.Build();
  }
  const std::string& schema = *table_->FindSchema("d")->bytes();
  const auto shared = [&schema](absl::string_view piece) {
    return piece.data() >= schema.data() && piece.data() < schema.data() + schema.size();
  };
  ServerReflectionRequest request;
  request.set_file_by_filename("book.proto");
  std::vector<Answers> all(100);
  std::vector<std::unique_ptr<Call>> calls;
  for (Answers& answers : all) {
    calls.push_back(
        Begin("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "", answers));
    calls.back()->OnMessage(request.SerializeAsString());
    size_t bytes = 0;
    for (const absl::string_view piece : answers.cords.at(0).Chunks()) {
      if (shared(piece)) bytes += piece.size();
    }
    EXPECT_GT(bytes, kSchemaBytes);
    EXPECT_EQ(bytes, answers.shared_bytes.at(0));
    EXPECT_LT(answers.messages[0].size() - bytes, 1000u);
  }
  // What is still to be sent outlives the call and the table.
  calls.clear();
  table_ = nullptr;
  EXPECT_EQ(std::string(all[0].cords[0]), all[0].messages[0]);
}

TEST_F(BuiltinTest, WhereConsumersAreRequiredOthersGetNoVersion) {
  consumer_required_ = true;
  EXPECT_EQ(Check(""), "SERVING") << "readiness needs no credential";
  EXPECT_EQ(Check("acme.Book"), "NOT_SERVING");
  EXPECT_EQ(Check("acme.Book", "shipping"), "SERVING");
  EXPECT_EQ(Check("acme.Film"), "NOT_FOUND");
  EXPECT_THAT(Services(""), ElementsAre());
  EXPECT_THAT(Services("shipping"), ElementsAre("acme.Book"));
  ServerReflectionRequest request;
  request.set_file_containing_symbol("acme.Book");
  EXPECT_EQ(Reflect(request, "").error_response().error_code(), 5);
  request.set_file_by_filename("book.proto");
  EXPECT_EQ(Reflect(request, "").error_response().error_code(), 5);
}

TEST_F(BuiltinTest, ReflectionLooksAtAllServicesOnlyWhereItMust) {
  Answers answers;
  const auto call = Begin("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "", answers);
  ServerReflectionRequest request;
  const auto ask = [&] {
    call->OnMessage(request.SerializeAsString());
    ServerReflectionResponse response;
    EXPECT_TRUE(response.ParseFromString(answers.messages.back()));
    return response.error_response().error_code();
  };
  request.set_file_containing_symbol("acme.Book.Get");
  EXPECT_EQ(ask(), 0);
  EXPECT_EQ(answers.looks, 0u) << "the service says whose it is";
  request.set_file_by_filename("book.proto");
  EXPECT_EQ(ask(), 0);
  EXPECT_EQ(answers.looks, 1u);
  answers.may_look = false;
  EXPECT_EQ(ask(), 8);
  request.set_list_services("*");
  EXPECT_EQ(ask(), 8);
  request.set_all_extension_numbers_of_type("acme.Base");
  EXPECT_EQ(ask(), 8);
  request.set_file_containing_symbol("acme.Book");
  EXPECT_EQ(ask(), 0);
  EXPECT_TRUE(answers.ends.empty());
}

TEST(LookBudgetTest, ComesBackWithTimeAndAllowsOneLookAtAnyTable) {
  LookBudget budget;
  const absl::Time now = absl::UnixEpoch();
  const auto burst = static_cast<size_t>(limits::kReflectionLooksBurst);
  const auto second = static_cast<size_t>(limits::kReflectionLooksPerSecond);
  EXPECT_TRUE(budget.Take(burst - 1, now));
  EXPECT_TRUE(budget.Take(10 * second + 1, now)) << "the last one may be of any size";
  EXPECT_FALSE(budget.Take(1, now + absl::Seconds(10)));
  EXPECT_TRUE(budget.Take(second, now + absl::Seconds(10.001)));
  EXPECT_FALSE(budget.Take(1, now + absl::Seconds(10.5)));
  EXPECT_TRUE(budget.Take(burst, now + absl::Hours(1)));
  EXPECT_FALSE(budget.Take(1, now + absl::Hours(1)));
}

TEST_F(BuiltinTest, ReflectionFindsFilesByName) {
  ServerReflectionRequest request;
  request.set_file_by_filename("base.proto");
  EXPECT_EQ(Reflect(request, "").file_descriptor_response().file_descriptor_proto_size(), 1);
  request.set_file_by_filename("none.proto");
  EXPECT_EQ(Reflect(request, "").error_response().error_code(), 5);
  EXPECT_EQ(Reflect(ServerReflectionRequest(), "").error_response().error_code(), 3);
}

}  // namespace
}  // namespace pinion::builtin
