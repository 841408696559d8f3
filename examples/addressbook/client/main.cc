// addressbook_client: a consumer on the command line.
//
//   addressbook_client --target 127.0.0.1:8080 --consumer billing --schema 1 get id=ada
//   api-version: 1.0.0
//   {"id":"ada","name":"Ada Lovelace","address":"12 St James's Square\nLondon"}
//
// A refused call prints its status, its message and the google.rpc.ErrorInfo that came with it, and
// exits with 1.
#include <google/protobuf/util/json_util.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "examples/addressbook/client/caller.h"

namespace addressbook {
namespace {

struct Flags {
  CallerOptions caller;
  std::string schema = "1";
  std::string method;
  std::vector<std::string> fields;
};

const std::map<std::string, std::string> kMethods = {
    {"get", "Get"}, {"put", "Put"}, {"list", "List"}, {"import", "Import"}};

// The descriptor sets lie beside this program.
std::string SchemaPath(const std::string& schema) {
  if (schema != "1" && schema != "2") return schema;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() /
         absl::StrCat("v", schema, ".binpb");
}

// name=value, with \n for a new line.
absl::StatusOr<Fields> ParseFields(const std::vector<std::string>& arguments) {
  Fields fields;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("'", argument, "' is not FIELD=VALUE"));
    }
    fields[argument.substr(0, equals)] =
        absl::StrReplaceAll(argument.substr(equals + 1), {{"\\n", "\n"}});
  }
  return fields;
}

void PrintRefusal(const grpc::Status& status) {
  std::cerr << absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code())) << ": "
            << status.error_message() << "\n";
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return;
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::Help help;
    if (any.UnpackTo(&info)) {
      std::cerr << "  reason: " << info.reason() << " (domain " << info.domain() << ")\n";
      const std::map<std::string, std::string> sorted(info.metadata().begin(),
                                                      info.metadata().end());
      for (const auto& [name, value] : sorted) std::cerr << "  " << name << ": " << value << "\n";
    } else if (any.UnpackTo(&help)) {
      for (const auto& link : help.links()) std::cerr << "  help: " << link.url() << "\n";
    }
  }
}

void Print(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  std::cout << (status.ok() ? json : message.ShortDebugString()) << "\n";
}

absl::StatusOr<Answer> Run(const Flags& flags, const Schema& schema) {
  ASSIGN_OR_RETURN(const Fields fields, ParseFields(flags.fields));
  return Caller(schema, flags.caller).Call(kMethods.at(flags.method), {fields});
}

void AddOptions(CLI::App& app, Flags& flags) {
  app.add_option("--target", flags.caller.target, "host:port")->required();
  app.add_option("--consumer", flags.caller.consumer, "send this name as api-consumer");
  app.add_option("--api-version", flags.caller.api_version, "send this expression as api-version");
  app.add_option("--schema", flags.schema,
                 "what this consumer was written against: 1, 2, or a descriptor set")
      ->capture_default_str();
  std::vector<std::string> methods;
  for (const auto& [name, method] : kMethods) methods.push_back(name);
  app.add_option("method", flags.method, "get, put, list or import")
      ->required()
      ->check(CLI::IsMember(methods));
  app.add_option("fields", flags.fields, "FIELD=VALUE …, with \\n for a new line");
}

}  // namespace
}  // namespace addressbook

int main(int argc, char** argv) {
  CLI::App app{"Calls the address book as a consumer that was written against one version of it."};
  addressbook::Flags flags;
  addressbook::AddOptions(app, flags);
  CLI11_PARSE(app, argc, argv);

  const auto schema = addressbook::Schema::Load(addressbook::SchemaPath(flags.schema));
  if (!schema.ok()) {
    std::cerr << "addressbook_client: " << schema.status().message() << "\n";
    return 2;
  }
  const auto answer = addressbook::Run(flags, **schema);
  if (!answer.ok()) {
    std::cerr << "addressbook_client: " << answer.status().message() << "\n";
    return 2;
  }
  if (!answer->api_version.empty()) std::cout << "api-version: " << answer->api_version << "\n";
  for (const auto& message : answer->messages) addressbook::Print(*message);
  if (answer->status.ok()) return 0;
  addressbook::PrintRefusal(answer->status);
  return 1;
}
