#include "registry/probe/reflection_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "registry/schema/check_files.h"
#include "registry/schema/schema.h"

namespace pinion::probe {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

// What a server can make us ask: as many files as the largest public API collections import.
constexpr int kMaxRequests = 4096;

absl::Status TooMuch() {
  return absl::ResourceExhaustedError("shows more of a schema than can be published");
}

// One stream of requests and answers.
class Stream {
 public:
  Stream(const Contact& contact, const std::string& method)
      : steps_(contact),
        stub_(contact.channel),
        call_(stub_.PrepareCall(&steps_.context(), method, &steps_.queue())) {
    call_->StartCall(nullptr);
    broken_ = !steps_.Wait();
  }

  // The answer to `request`; else how the stream has ended.
  absl::StatusOr<ServerReflectionResponse> Ask(const ServerReflectionRequest& request) {
    ServerReflectionResponse response;
    broken_ = broken_ || !Write(request) || !Read(response);
    if (!broken_) return response;
    grpc::Status status;
    call_->Finish(&status, nullptr);
    steps_.Wait();
    if (status.ok()) return absl::InternalError("the stream ended early");
    return ToStatus(status);
  }

 private:
  bool Write(const ServerReflectionRequest& request) {
    call_->Write(request, nullptr);
    return steps_.Wait();
  }
  bool Read(ServerReflectionResponse& response) {
    call_->Read(&response, nullptr);
    return steps_.Wait();
  }

  Steps steps_;
  grpc::TemplatedGenericStub<ServerReflectionRequest, ServerReflectionResponse> stub_;
  const std::unique_ptr<
      grpc::ClientAsyncReaderWriter<ServerReflectionRequest, ServerReflectionResponse>>
      call_;
  bool broken_ = false;
};

// Gathers files, each once, and asks for those that others import.
class Gatherer {
 public:
  explicit Gatherer(Stream& stream) : stream_(stream) {}

  absl::Status AddService(const std::string& name) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(name);
    return Add(request);
  }

  absl::Status AddImports() {
    while (!imports_.empty()) {
      const std::string name = std::move(imports_.front());
      imports_.pop_front();
      if (names_.contains(name)) continue;
      ServerReflectionRequest request;
      request.set_file_by_filename(name);
      RETURN_IF_ERROR(Add(request));
      // Asked for once, whatever came.
      names_.insert(name);
    }
    return absl::OkStatus();
  }

  FileDescriptorSet Take() && { return std::move(files_); }

 private:
  absl::Status Add(const ServerReflectionRequest& request) {
    if (++requests_ > kMaxRequests) return TooMuch();
    ASSIGN_OR_RETURN(const ServerReflectionResponse response, stream_.Ask(request));
    // A name that it does not know: the comparison says what is missing.
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      bytes_ += bytes.size();
      if (bytes_ > schema::kMaxDescriptorSetBytes) return TooMuch();
      FileDescriptorProto file;
      if (!file.ParseFromString(bytes)) {
        return absl::DataLossError("answers reflection with what is no descriptor of a file");
      }
      if (!names_.insert(file.name()).second) continue;
      for (const std::string& import : file.dependency()) imports_.push_back(import);
      *files_.add_file() = std::move(file);
    }
    return absl::OkStatus();
  }

  Stream& stream_;
  int requests_ = 0;
  size_t bytes_ = 0;
  absl::flat_hash_set<std::string> names_;
  std::deque<std::string> imports_;
  FileDescriptorSet files_;
};

absl::Status CheckWhole(const FileDescriptorSet& files) {
  const schema::SetCheck check = schema::CheckFiles(files);
  if (!check.missing_imports.empty()) {
    return absl::DataLossError(absl::StrCat("shows no ", Quoted(check.missing_imports.front()),
                                            ", which its files import"));
  }
  if (check.contradictions.empty()) return absl::OkStatus();
  const schema::Finding& first = check.contradictions.front();
  return absl::DataLossError(absl::StrCat("shows a schema that contradicts itself: ",
                                          Quoted(first.subject), " ", Quoted(first.description)));
}

absl::StatusOr<FileDescriptorSet> Gather(const Contact& contact, const std::string& method,
                                         const std::vector<std::string>& grpc_services) {
  Stream stream(contact, method);
  Gatherer gatherer(stream);
  for (const std::string& name : grpc_services) RETURN_IF_ERROR(gatherer.AddService(name));
  RETURN_IF_ERROR(gatherer.AddImports());
  FileDescriptorSet files = std::move(gatherer).Take();
  RETURN_IF_ERROR(CheckWhole(files));
  return files;
}

// Errors of our own are clauses already.
absl::Status Explained(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnimplemented:
      return absl::UnimplementedError("offers no reflection");
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return absl::UnimplementedError("does not offer its reflection to the registry");
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kResourceExhausted:
      return status;
    case absl::StatusCode::kDeadlineExceeded:
      return absl::UnavailableError("does not show its schema in time");
    default:
      return absl::Status(
          status.code(),
          absl::StrCat("fails when the registry asks for its schema: ",
                       absl::StatusCodeToString(status.code()), " ", Quoted(status.message())));
  }
}

}  // namespace

absl::StatusOr<FileDescriptorSet> AskSchema(const Contact& contact,
                                            const std::vector<std::string>& grpc_services) {
  absl::StatusOr<FileDescriptorSet> files =
      Gather(contact, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", grpc_services);
  if (absl::IsUnimplemented(files.status())) {
    files = Gather(contact, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   grpc_services);
  }
  if (!files.ok()) return Explained(files.status());
  return files;
}

}  // namespace pinion::probe
