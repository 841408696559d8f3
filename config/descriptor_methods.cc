#include "config/descriptor_methods.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/stubs/logging.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "config/read_file.h"

namespace pinion::config {
namespace {

// The largest public APIs' closures are below 10 MiB.
constexpr size_t kMaxDescriptorSetBytes = size_t{64} << 20;

// Keeps the first error; the others follow from it.
class FirstError : public google::protobuf::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element,
                const google::protobuf::Message*, ErrorLocation,
                const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(file, ": ", element, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

absl::StatusOr<std::vector<routing::v1::GrpcMethods>> ReadMethods(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxDescriptorSetBytes));
  google::protobuf::FileDescriptorSet set;
  // Any short text may pass as a message of unknown fields; a set has files, and a file has a name.
  if (!set.ParseFromString(bytes) || set.file().empty() || !set.file(0).has_name()) {
    return absl::InvalidArgumentError(
        "is not a descriptor set (make one with `protoc --include_imports -o FILE`)");
  }
  // The database would print what the messages below say.
  const google::protobuf::LogSilencer silencer;
  google::protobuf::SimpleDescriptorDatabase database;
  for (const auto& file : set.file()) {
    if (!database.Add(file)) {
      return absl::InvalidArgumentError(
          absl::StrCat("holds ", file.name(), " twice, or two files that define the same names"));
    }
  }
  FirstError error;
  google::protobuf::DescriptorPool pool(&database, &error);
  std::vector<routing::v1::GrpcMethods> services;
  for (const auto& file : set.file()) {
    const google::protobuf::FileDescriptor* built = pool.FindFileByName(file.name());
    if (built == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("is not complete: ", error.text(), " (protoc needs --include_imports)"));
    }
    for (int i = 0; i < built->service_count(); ++i) {
      routing::v1::GrpcMethods& service = services.emplace_back();
      service.set_grpc_service(built->service(i)->full_name());
      for (int j = 0; j < built->service(i)->method_count(); ++j) {
        service.add_methods(built->service(i)->method(j)->name());
      }
    }
  }
  if (services.empty()) return absl::InvalidArgumentError("defines no gRPC service");
  return services;
}

}  // namespace pinion::config
