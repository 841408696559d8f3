// The kinds of fields that today's schema lacks but the decoder knows, on messages of protobuf's
// own; the others are in testdata.
#include "config/decode.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include "config/scalar.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::config {
namespace {

using google::protobuf::Message;

// The errors, or nothing.
std::string Decode(std::string_view yaml, Message& message, SourceMap& source) {
  ErrorList errors("f");
  const NodePtr root = ParseYaml(yaml, errors);
  if (root != nullptr) DecodeMessage(*root, message, source, errors);
  return std::string(errors.ToStatus().message());
}

std::string Decode(std::string_view yaml, Message& message) {
  SourceMap source;
  return Decode(yaml, message, source);
}

TEST(Decode, EveryScalarKind) {
  google::protobuf::UninterpretedOption option;
  EXPECT_EQ(
      Decode(
          "{positive_int_value: 18446744073709551615, negative_int_value: '-9223372036854775808', "
          "double_value: -1.5e3, string_value: aGk_, identifier_value: 'no'}",
          option),
      "");
  EXPECT_EQ(option.positive_int_value(), 18446744073709551615u);
  EXPECT_EQ(option.negative_int_value(), INT64_MIN);
  EXPECT_EQ(option.double_value(), -1500);
  EXPECT_EQ(option.string_value(), "hi?");
  EXPECT_EQ(option.identifier_value(), "no");
  EXPECT_EQ(
      Decode("{positive_int_value: 18446744073709551616, double_value: .inf, string_value: '*'}",
             option),
      "f:1:22: expected a whole number from 0 to 18446744073709551615, found "
      "\"18446744073709551616\"\n"
      "f:1:58: expected a number, found \".inf\"\n"
      "f:1:78: expected base64, found \"*\"");
}

TEST(Decode, RepeatedScalarsAndEnums) {
  google::protobuf::FileDescriptorProto file;
  EXPECT_EQ(
      Decode("dependency: [a, b]\npublic_dependency: [1, -2]\noptions: {optimize_for: CODE_SIZE}\n",
             file),
      "");
  EXPECT_EQ(file.dependency_size(), 2);
  EXPECT_EQ(file.public_dependency(1), -2);
  EXPECT_EQ(file.options().optimize_for(), google::protobuf::FileOptions::CODE_SIZE);
  EXPECT_EQ(Decode("public_dependency: [1, ~, x]\n", file),
            "f:1:24: expected a whole number from -2147483648 to 2147483647, found nothing\n"
            "f:1:27: expected a whole number from -2147483648 to 2147483647, found \"x\"");
}

TEST(Decode, NullLeavesUnset) {
  v1::Bootstrap bootstrap;
  EXPECT_EQ(
      Decode("node: ~\nlisteners:\ngateway: {max_connections: null, drain_timeout: }\n", bootstrap),
      "");
  EXPECT_FALSE(bootstrap.has_node());
  EXPECT_FALSE(bootstrap.gateway().has_max_connections());
  EXPECT_FALSE(bootstrap.gateway().has_drain_timeout());
}

TEST(Decode, NotesWhereThingsStand) {
  v1::Bootstrap bootstrap;
  SourceMap source;
  EXPECT_EQ(Decode("listeners:\n- name: a\n  address:\n    pipe: {path: b}\nstatic_resources:\n"
                   "  consumers:\n  - pins: {db/people: '7'}\n",
                   bootstrap, source),
            "");
  const auto at = [&](const char* path) { return source.Value(path); };
  EXPECT_EQ(at("listeners[0]"), (Position{2, 3}));
  EXPECT_EQ(at("listeners[0].name"), (Position{2, 9}));
  EXPECT_EQ(source.Key("listeners[0].name"), (Position{2, 3}));
  EXPECT_EQ(at("listeners[0].address.pipe.path"), (Position{4, 18}));
  EXPECT_EQ(at("static_resources.consumers[0].pins[\"db/people\"]"), (Position{7, 23}));
  EXPECT_EQ(source.Key("static_resources.consumers[0].pins[\"db/people\"]"), (Position{7, 12}));
  // What is left out stands where its parent does.
  EXPECT_EQ(at("listeners[0].http2.max_header_fields"), (Position{2, 3}));
  EXPECT_EQ(at("listeners[9]"), at("listeners"));
  EXPECT_EQ(at("registry.address"), (Position{1, 1}));
}

TEST(Scalar, Durations) {
  struct Case {
    const char* text;
    int64_t seconds;
    int32_t nanos;
  };
  for (const Case& c :
       {Case{"0s", 0, 0}, Case{"1.5s", 1, 500'000'000}, Case{"-1.000000001s", -1, -1},
        Case{"-0.5s", 0, -500'000'000}, Case{"315576000000s", 315'576'000'000, 0}}) {
    Node node{Node::Kind::kScalar};
    node.scalar = c.text;
    const auto duration = ParseDuration(node);
    ASSERT_TRUE(duration.ok()) << duration.status();
    EXPECT_EQ(duration->seconds(), c.seconds) << c.text;
    EXPECT_EQ(duration->nanos(), c.nanos) << c.text;
  }
  for (const char* text :
       {"", "s", "1", "1.s", ".5s", "--1s", "1.-5s", "+1s", "1e3s", "0x1s", "1.5S", " 1s"}) {
    Node node{Node::Kind::kScalar};
    node.scalar = text;
    EXPECT_FALSE(ParseDuration(node).ok()) << text;
  }
}

TEST(Scalar, FoundIsShort) {
  Node node{Node::Kind::kScalar};
  node.scalar = std::string(1'000'000, 'x');
  EXPECT_LT(Found(node).size(), 100u);
}

}  // namespace
}  // namespace pinion::config
