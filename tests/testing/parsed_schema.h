// Schemas for tests, from their text. Header only: it needs no more than protobuf.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/compiler/parser.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"

namespace pinion::testing {

// One file, a.proto, in package acme.v1 with `body`, which ends in no import; all types that it
// names are at its top: messages, but for those in `enums`; or protobuf's own, by their full names.
inline google::protobuf::FileDescriptorSet ParsedSchema(
    const std::string& body, const std::string& syntax = "proto3",
    const std::vector<std::string>& enums = {}) {
  using google::protobuf::FieldDescriptorProto;
  const std::string text = absl::StrCat("syntax = \"", syntax, "\"; package acme.v1;\n", body);
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  google::protobuf::io::Tokenizer tokenizer(&input, nullptr);
  google::protobuf::compiler::Parser parser;
  google::protobuf::FileDescriptorSet set;
  google::protobuf::FileDescriptorProto& file = *set.add_file();
  EXPECT_TRUE(parser.Parse(&tokenizer, &file)) << text;
  file.set_name("a.proto");
  const auto full_name = [](const std::string& name) {
    return absl::StrCat(absl::StartsWith(name, "google.") ? "." : ".acme.v1.", name);
  };
  const auto resolve = [&](FieldDescriptorProto& field) {
    if (field.has_extendee()) field.set_extendee(full_name(field.extendee()));
    if (!field.has_type_name()) return;
    const bool is_enum = std::find(enums.begin(), enums.end(), field.type_name()) != enums.end();
    if (!field.has_type()) {
      field.set_type(is_enum ? FieldDescriptorProto::TYPE_ENUM
                             : FieldDescriptorProto::TYPE_MESSAGE);
    }
    field.set_type_name(full_name(field.type_name()));
  };
  for (auto& extension : *file.mutable_extension()) resolve(extension);
  for (auto& message : *file.mutable_message_type()) {
    for (auto& field : *message.mutable_field()) {
      // An entry of a map stands below its message.
      const bool in_message =
          std::any_of(message.nested_type().begin(), message.nested_type().end(),
                      [&field](const auto& nested) { return nested.name() == field.type_name(); });
      if (in_message) field.set_type_name(absl::StrCat(message.name(), ".", field.type_name()));
      resolve(field);
    }
  }
  for (auto& service : *file.mutable_service()) {
    for (auto& method : *service.mutable_method()) {
      method.set_input_type(full_name(method.input_type()));
      method.set_output_type(full_name(method.output_type()));
    }
  }
  return set;
}

// `size` types of which each holds the next and the last the first, and a service that takes the
// first, M0, which also has `field`.
inline google::protobuf::FileDescriptorSet CircleOfTypes(int size, const std::string& field = "") {
  std::string body = "service S { rpc F(M0) returns (M0); }";
  for (int i = 0; i < size; ++i) {
    absl::StrAppend(&body, " message M", i, " { M", (i + 1) % size, " next = 1; ",
                    i == 0 ? field : "", " }");
  }
  return ParsedSchema(body);
}

}  // namespace pinion::testing
