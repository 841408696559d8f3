#include "gateway/route/schema.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::route {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorSet;
using testing::ElementsAre;
using testing::IsEmpty;

std::string Serialized(const std::string& text) {
  FileDescriptorSet set;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &set));
  return set.SerializeAsString();
}

std::string Books() {
  return Serialized(R"pb(
    file {
      name: "book.proto"
      package: "acme"
      dependency: "base.proto"
      dependency: "elsewhere.proto"
      message_type {
        name: "Page"
        nested_type {
          name: "Line"
          extension { name: "size" extendee: ".acme.Options" number: 100 label: LABEL_OPTIONAL }
        }
      }
      service {
        name: "Book"
        method { name: "Get" }
      }
      extension { name: "color" extendee: ".acme.Options" number: 7 label: LABEL_OPTIONAL }
      extension { name: "vague" extendee: "Options" number: 8 label: LABEL_OPTIONAL }
    }
    file {
      name: "base.proto"
      package: "acme"
      dependency: "root.proto"
      message_type { name: "Options" }
      enum_type {
        name: "Size"
        value { name: "SMALL" number: 0 }
      }
    }
    file {
      name: "root.proto"
      dependency: "book.proto"
      message_type { name: "Root" }
    }
  )pb");
}

std::string NameOf(const Schema::File* file) {
  return file == nullptr ? "-" : std::string(file->name);
}

TEST(SchemaTest, FindsFilesByNameAndSymbol) {
  const Schema schema(Books());
  EXPECT_EQ(NameOf(schema.FindFile("base.proto")), "base.proto");
  EXPECT_EQ(NameOf(schema.FindFile("elsewhere.proto")), "-");
  const std::pair<const char*, const char*> cases[] = {
      {"acme.Book", "book.proto"},
      {"acme.Book.Get", "book.proto"},
      {"acme.Page", "book.proto"},
      {"acme.Page.Line.text", "book.proto"},
      {"acme.color", "book.proto"},
      {"acme.Options", "base.proto"},
      {"acme.Size", "base.proto"},
      {"Root", "root.proto"},
      {"acme.Boo", "-"},
      {"acme.Books", "-"},
      {"acme", "-"},
      {"", "-"},
      {"zebra", "-"},
      {"acme.Page2.Line", "-"},
  };
  for (const auto& [symbol, file] : cases)
    EXPECT_EQ(NameOf(schema.FindSymbol(symbol)), file) << symbol;
}

TEST(SchemaTest, FindsExtensionsHoweverDeep) {
  const Schema schema(Books());
  EXPECT_EQ(NameOf(schema.FindExtension("acme.Options", 7)), "book.proto");
  EXPECT_EQ(NameOf(schema.FindExtension("acme.Options", 100)), "book.proto");
  EXPECT_EQ(NameOf(schema.FindExtension("acme.Options", 8)), "-");
  EXPECT_EQ(NameOf(schema.FindExtension("acme.Page", 7)), "-");
  EXPECT_THAT(schema.ExtensionNumbers("acme.Options"), ElementsAre(7, 100));
  EXPECT_THAT(schema.ExtensionNumbers("acme.Page"), IsEmpty());
}

TEST(SchemaTest, AClosureHasEachFileOnce) {
  const Schema schema(Books());
  std::vector<std::string> names;
  for (const Schema::File* file : schema.Closure(*schema.FindFile("book.proto"))) {
    names.push_back(NameOf(file));
  }
  EXPECT_THAT(names, ElementsAre("book.proto", "base.proto", "root.proto"));
}

void AddWithImports(const FileDescriptor& file, FileDescriptorSet& set) {
  for (const auto& known : set.file()) {
    if (known.name() == file.name()) return;
  }
  for (int i = 0; i < file.dependency_count(); ++i) AddWithImports(*file.dependency(i), set);
  file.CopyTo(set.add_file());
}

// As protobuf itself reads the same bytes.
TEST(SchemaTest, ReadsWhatProtocWrites) {
  const FileDescriptor& routing = *routing::v1::Resource::descriptor()->file();
  FileDescriptorSet set;
  AddWithImports(routing, set);
  const Schema schema(set.SerializeAsString());
  for (const auto& file : set.file()) {
    const Schema::File* found = schema.FindFile(file.name());
    ASSERT_NE(found, nullptr) << file.name();
    EXPECT_EQ(std::string(found->bytes), file.SerializeAsString());
    const auto expect_here = [&](const std::string& name) {
      EXPECT_EQ(schema.FindSymbol(file.package() + "." + name), found) << name;
    };
    for (const auto& message : file.message_type()) {
      expect_here(message.name());
      for (const auto& field : message.field()) expect_here(message.name() + "." + field.name());
    }
    for (const auto& each : file.enum_type()) expect_here(each.name());
  }
  EXPECT_EQ(schema.Closure(*schema.FindFile(routing.name())).size(),
            static_cast<size_t>(set.file_size()));
}

TEST(SchemaTest, WhatCannotBeReadHasNoFiles) {
  const std::string books = Books();
  // Only what ends behind the first file or the second can be read.
  size_t whole = 0;
  for (size_t size = 0; size < books.size(); ++size) {
    const Schema torn(books.substr(0, size));
    if (torn.FindFile("book.proto") != nullptr) ++whole;
    EXPECT_EQ(torn.FindFile("root.proto"), nullptr) << size;
  }
  EXPECT_EQ(whole, 2u);
  for (size_t at = 0; at < books.size(); ++at) {
    std::string garbled = books;
    garbled[at] = static_cast<char>(garbled[at] ^ 0xff);
    const Schema schema(garbled);
    const Schema::File* file = schema.FindFile("base.proto");
    if (file == nullptr) continue;
    EXPECT_GE(schema.Closure(*file).size(), 1u);
  }
  EXPECT_EQ(Schema("schema").FindSymbol("schema"), nullptr);
}

}  // namespace
}  // namespace pinion::route
