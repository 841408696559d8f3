// One version's schema, read from its descriptor set. A real consumer links the code generated for
// the one version that it was written against; this client is two consumers in one program, and the
// generated code of two versions of one package cannot link together, so its messages are made from
// descriptors.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace addressbook {

// The text fields of a contact by their names in the schema; a field that is not there is empty.
using Fields = std::map<std::string, std::string>;

// Thread-safe once loaded. Must outlive the messages that it makes.
class Schema {
 public:
  // Reads a serialised FileDescriptorSet that holds acme.AddressBook.
  static absl::StatusOr<std::unique_ptr<Schema>> Load(const std::string& path);

  // Null: this version has no such method.
  const google::protobuf::MethodDescriptor* FindMethod(const std::string& name) const;

  std::unique_ptr<google::protobuf::Message> NewRequest(
      const google::protobuf::MethodDescriptor& method) const;
  std::unique_ptr<google::protobuf::Message> NewResponse(
      const google::protobuf::MethodDescriptor& method) const;

 private:
  Schema() : messages_(&pool_) {}

  google::protobuf::DescriptorPool pool_;
  mutable google::protobuf::DynamicMessageFactory messages_;
  const google::protobuf::ServiceDescriptor* service_ = nullptr;
};

// Sets text fields, also those of a message field `contact` when the message has one.
// InvalidArgument names the fields that exist when one does not.
absl::Status SetFields(const Fields& fields, google::protobuf::Message& message);

// Every text field that the message's type has.
Fields GetFields(const google::protobuf::Message& message);

}  // namespace addressbook
