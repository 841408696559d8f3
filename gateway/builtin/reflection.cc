#include "gateway/builtin/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "gateway/builtin/caller_view.h"
#include "gateway/route/refusal.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace pinion::builtin {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::SimpleDescriptorDatabase;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

// The files of one version, found by name and symbol without linking them: two versions may well
// disagree.
class SchemaFiles {
 public:
  explicit SchemaFiles(const std::string& file_descriptor_set) {
    FileDescriptorSet set;
    if (!set.ParseFromString(file_descriptor_set)) return;
    for (const FileDescriptorProto& file : set.file()) database_.Add(file);
  }

  bool FindFile(const std::string& name, FileDescriptorProto& file) {
    return database_.FindFileByName(name, &file);
  }
  bool FindSymbol(const std::string& symbol, FileDescriptorProto& file) {
    return database_.FindFileContainingSymbol(symbol, &file);
  }
  bool FindExtension(const std::string& type, int number, FileDescriptorProto& file) {
    return database_.FindFileContainingExtension(type, number, &file);
  }
  bool FindExtensionNumbers(const std::string& type, std::vector<int>& numbers) {
    return database_.FindAllExtensionNumbers(type, &numbers);
  }

  // `file` and all that it imports, each once, what it needs after it.
  void AppendClosure(const FileDescriptorProto& file, ServerReflectionResponse& response) {
    absl::flat_hash_set<std::string> seen = {file.name()};
    std::vector<FileDescriptorProto> files = {file};
    for (size_t i = 0; i < files.size(); ++i) {
      response.mutable_file_descriptor_response()->add_file_descriptor_proto(
          files[i].SerializeAsString());
      const std::vector<std::string> imports(files[i].dependency().begin(),
                                             files[i].dependency().end());
      for (const std::string& import : imports) {
        FileDescriptorProto imported;
        if (seen.insert(import).second && FindFile(import, imported))
          files.push_back(std::move(imported));
      }
    }
  }

 private:
  SimpleDescriptorDatabase database_;
};

class ReflectionCall final : public Call {
 public:
  ReflectionCall(Context context, Sink& sink) : context_(std::move(context)), sink_(sink) {}

  void OnMessage(absl::string_view message) override {
    ServerReflectionRequest request;
    if (!request.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return sink_.End(absl::InvalidArgumentError("not a ServerReflectionRequest"));
    }
    ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    Answer(request, response);
    sink_.Send(response.SerializeAsString());
  }

  void OnHalfClose() override { sink_.End(absl::OkStatus()); }

 private:
  void Answer(const ServerReflectionRequest& request, ServerReflectionResponse& response) {
    switch (request.message_request_case()) {
      case ServerReflectionRequest::kListServices:
        return ListServices(response);
      case ServerReflectionRequest::kFileByFilename:
        return AnswerFile(request.file_by_filename(), response,
                          [&](SchemaFiles& files, FileDescriptorProto& file) {
                            return files.FindFile(request.file_by_filename(), file);
                          });
      case ServerReflectionRequest::kFileContainingSymbol:
        return AnswerFile(request.file_containing_symbol(), response,
                          [&](SchemaFiles& files, FileDescriptorProto& file) {
                            return files.FindSymbol(request.file_containing_symbol(), file);
                          });
      case ServerReflectionRequest::kFileContainingExtension: {
        const auto& extension = request.file_containing_extension();
        return AnswerFile(
            absl::StrCat(extension.containing_type(), " extension ", extension.extension_number()),
            response, [&](SchemaFiles& files, FileDescriptorProto& file) {
              return files.FindExtension(extension.containing_type(), extension.extension_number(),
                                         file);
            });
      }
      case ServerReflectionRequest::kAllExtensionNumbersOfType:
        return AnswerExtensions(request.all_extension_numbers_of_type(), response);
      case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
        return Fail(absl::StatusCode::kInvalidArgument, "the request asks for nothing", response);
    }
  }

  void ListServices(ServerReflectionResponse& response) {
    std::vector<std::string> names = {"grpc.health.v1.Health",
                                      "grpc.reflection.v1.ServerReflection",
                                      "grpc.reflection.v1alpha.ServerReflection"};
    for (const ServedVersion& served : VersionsFor(context_)) {
      names.insert(names.end(), served.service->grpc_services.begin(),
                   served.service->grpc_services.end());
    }
    std::sort(names.begin(), names.end());
    auto& list = *response.mutable_list_services_response();
    for (std::string& name : names) list.add_service()->set_name(std::move(name));
  }

  template <typename Find>
  void AnswerFile(const std::string& what, ServerReflectionResponse& response, const Find& find) {
    for (SchemaFiles& files : Files()) {
      FileDescriptorProto file;
      if (find(files, file)) return files.AppendClosure(file, response);
    }
    Fail(absl::StatusCode::kNotFound,
         absl::StrCat("no version that this caller gets was published with ",
                      route::Printable(what)),
         response);
  }

  void AnswerExtensions(const std::string& type, ServerReflectionResponse& response) {
    std::vector<int> numbers;
    bool known = false;
    for (SchemaFiles& files : Files()) {
      FileDescriptorProto file;
      known = known || files.FindSymbol(type, file);
      files.FindExtensionNumbers(type, numbers);
    }
    if (!known) {
      return Fail(absl::StatusCode::kNotFound, absl::StrCat("no type ", route::Printable(type)),
                  response);
    }
    auto& answer = *response.mutable_all_extension_numbers_response();
    answer.set_base_type_name(type);
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (int number : numbers) answer.add_extension_number(number);
  }

  void Fail(absl::StatusCode code, const std::string& message, ServerReflectionResponse& response) {
    response.mutable_error_response()->set_error_code(static_cast<int>(code));
    response.mutable_error_response()->set_error_message(message);
  }

  // The schemas of the versions that this caller gets, read when first needed.
  std::deque<SchemaFiles>& Files() {
    if (!read_) {
      read_ = true;
      for (const ServedVersion& each : VersionsFor(context_)) {
        const auto schema = context_.table->FindSchema(each.version->schema_digest);
        if (schema != nullptr) files_.emplace_back(*schema);
      }
    }
    return files_;
  }

  Context context_;
  Sink& sink_;
  bool read_ = false;
  std::deque<SchemaFiles> files_;  // never moved: a descriptor database cannot be
};

}  // namespace

std::unique_ptr<Call> Reflection(Context context, Sink& sink) {
  return std::make_unique<ReflectionCall>(std::move(context), sink);
}

}  // namespace pinion::builtin
