#include "gateway/builtin/reflection.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "gateway/builtin/caller_view.h"
#include "gateway/route/refusal.h"
#include "gateway/route/schema.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace pinion::builtin {
namespace {

using grpc::reflection::v1::FileDescriptorResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using route::Schema;

using Find = absl::FunctionRef<const Schema::File*(const Schema&)>;

// A file of one version's schema; of none: there is no such file.
struct Found {
  const Schema* schema = nullptr;
  const Schema::File* file = nullptr;
};

struct Answer {
  ServerReflectionResponse response;
  Found files;  // the file that was asked for, to be sent with all that it imports; or none
};

// What comes before the bytes of a message or of a string. Source: Protocol Buffers, "Encoding".
std::string FieldHead(int field, size_t size) {
  using google::protobuf::io::CodedOutputStream;
  constexpr uint32_t kLengthDelimited = 2;
  uint8_t head[2 * 5];  // two numbers of 32 bits
  const uint32_t tag = static_cast<uint32_t>(field) << 3 | kLengthDelimited;
  uint8_t* const end = CodedOutputStream::WriteVarint32ToArray(
      static_cast<uint32_t>(size), CodedOutputStream::WriteTagToArray(tag, head));
  return std::string(head, end);
}

// Sends a ServerReflectionResponse without copying large files out of the schema, which is the same
// for all callers.
void Send(const Answer& answer, Sink& sink) {
  constexpr size_t kSharedBytesMin = 1024;  // to share also costs memory
  absl::Cord files;
  size_t shared_bytes = 0;
  if (answer.files.file != nullptr) {
    const Schema& schema = *answer.files.schema;
    for (const Schema::File* file : schema.Closure(*answer.files.file)) {
      files.Append(
          FieldHead(FileDescriptorResponse::kFileDescriptorProtoFieldNumber, file->bytes.size()));
      if (file->bytes.size() < kSharedBytesMin) {
        files.Append(file->bytes);
        continue;
      }
      files.Append(absl::MakeCordFromExternal(file->bytes, [held = schema.bytes()] {}));
      shared_bytes += file->bytes.size();
    }
  }
  absl::Cord message(answer.response.SerializeAsString());
  if (!files.empty()) {
    message.Append(
        FieldHead(ServerReflectionResponse::kFileDescriptorResponseFieldNumber, files.size()));
    message.Append(std::move(files));
  }
  sink.Send(std::move(message), shared_bytes);
}

class ReflectionCall final : public Call {
 public:
  ReflectionCall(Context context, Sink& sink) : context_(std::move(context)), sink_(sink) {}

  void OnMessage(absl::string_view message) override {
    ServerReflectionRequest request;
    if (!request.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return sink_.End(absl::InvalidArgumentError("not a ServerReflectionRequest"));
    }
    Answer answer;
    answer.response.set_valid_host(request.host());
    *answer.response.mutable_original_request() = request;
    exhausted_ = false;
    Fill(request, answer);
    if (exhausted_) {
      answer.files = Found();
      Fail(absl::StatusCode::kResourceExhausted,
           "reflection is asked for more than calls leave time for; ask again in a second",
           answer.response);
    }
    Send(answer, sink_);
  }

  void OnHalfClose() override { sink_.End(absl::OkStatus()); }

 private:
  void Fill(const ServerReflectionRequest& request, Answer& answer) {
    switch (request.message_request_case()) {
      case ServerReflectionRequest::kListServices:
        return ListServices(answer.response);
      case ServerReflectionRequest::kFileByFilename: {
        const std::string& name = request.file_by_filename();
        return FillFile(
            name, Search([&name](const Schema& schema) { return schema.FindFile(name); }), answer);
      }
      case ServerReflectionRequest::kFileContainingSymbol: {
        const std::string& symbol = request.file_containing_symbol();
        return FillFile(symbol, SearchSymbol(symbol), answer);
      }
      case ServerReflectionRequest::kFileContainingExtension: {
        const std::string& type = request.file_containing_extension().containing_type();
        const int number = request.file_containing_extension().extension_number();
        return FillFile(absl::StrCat(type, " extension ", number),
                        Search([&type, number](const Schema& schema) {
                          return schema.FindExtension(type, number);
                        }),
                        answer);
      }
      case ServerReflectionRequest::kAllExtensionNumbersOfType:
        return ListExtensions(request.all_extension_numbers_of_type(), answer.response);
      case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
        return Fail(absl::StatusCode::kInvalidArgument, "the request asks for nothing",
                    answer.response);
    }
  }

  void ListServices(ServerReflectionResponse& response) {
    std::vector<std::string> names = {"grpc.health.v1.Health",
                                      "grpc.reflection.v1.ServerReflection",
                                      "grpc.reflection.v1alpha.ServerReflection"};
    const CallerView view(context_);
    for (const route::ServiceEntry* service : Look()) {
      view.ForEachServed(*service, [&names](const std::string& name, const route::VersionEntry&) {
        names.push_back(name);
      });
    }
    std::sort(names.begin(), names.end());
    auto& list = *response.mutable_list_services_response();
    for (std::string& name : names) list.add_service()->set_name(std::move(name));
  }

  void FillFile(const std::string& what, Found found, Answer& answer) {
    answer.files = found;
    if (found.file != nullptr) return;
    Fail(absl::StatusCode::kNotFound,
         absl::StrCat("no version that this caller gets was published with ",
                      route::Printable(what)),
         answer.response);
  }

  void ListExtensions(const std::string& type, ServerReflectionResponse& response) {
    if (SearchSymbol(type).file == nullptr) {
      return Fail(absl::StatusCode::kNotFound, absl::StrCat("no type ", route::Printable(type)),
                  response);
    }
    std::vector<int> numbers;
    const CallerView view(context_);
    for (const route::ServiceEntry* service : Look()) {
      view.ForEachServed(*service, [&](const std::string&, const route::VersionEntry& version) {
        const Schema* schema = context_.table->FindSchema(version.schema_digest);
        if (schema == nullptr) return;
        const std::vector<int> more = schema->ExtensionNumbers(type);
        numbers.insert(numbers.end(), more.begin(), more.end());
      });
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

  // All services, to be looked at one by one; none if that is too much now.
  std::vector<const route::ServiceEntry*> Look() {
    std::vector<const route::ServiceEntry*> services = context_.table->Services();
    if (!sink_.MayLook(services.size())) {
      exhausted_ = true;
      services.clear();
    }
    return services;
  }

  Found FindIn(const route::VersionEntry& version, Find find) const {
    const Schema* schema = context_.table->FindSchema(version.schema_digest);
    const Schema::File* file = schema == nullptr ? nullptr : find(*schema);
    return file == nullptr ? Found() : Found{schema, file};
  }

  // In the versions that this caller gets: that of the service whose name comes first, of those
  // that have it.
  Found Search(Find find) {
    const CallerView view(context_);
    Found found;
    const route::ServiceEntry* owner = nullptr;
    for (const route::ServiceEntry* service : Look()) {
      if (owner != nullptr && owner->name < service->name) continue;
      // Which version the caller gets is only asked where it matters: most services have no such
      // file in any.
      const auto has = [&](const auto& version) { return FindIn(*version, find).file != nullptr; };
      if (std::none_of(service->versions.begin(), service->versions.end(), has)) continue;
      view.ForEachServed(*service, [&](const std::string&, const route::VersionEntry& version) {
        if (owner == service) return;
        const Found here = FindIn(version, find);
        if (here.file == nullptr) return;
        found = here;
        owner = service;
      });
    }
    return found;
  }

  // A gRPC service and its methods are looked for in their own service alone: others may have
  // imported their file as it is in another version.
  Found SearchSymbol(absl::string_view symbol) {
    const auto find = [symbol](const Schema& schema) { return schema.FindSymbol(symbol); };
    const size_t dot = symbol.rfind('.');
    for (const absl::string_view name : {symbol, symbol.substr(0, dot)}) {
      if (context_.table->FindServiceOfGrpc(name) == nullptr) continue;
      const route::VersionEntry* version = CallerView(context_).VersionFor(name);
      return version == nullptr ? Found() : FindIn(*version, find);
    }
    return Search(find);
  }

  Context context_;
  Sink& sink_;
  bool exhausted_ = false;  // this request asked for more than it may
};

}  // namespace

std::unique_ptr<Call> Reflection(Context context, Sink& sink) {
  return std::make_unique<ReflectionCall>(std::move(context), sink);
}

}  // namespace pinion::builtin
