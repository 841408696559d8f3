// A version's schema: a FileDescriptorSet that was read and found whole, the gRPC services in it,
// and its digest. Pure.
//
// Descriptors are not built into protobuf's DescriptorPool: that refuses what a newer protoc writes
// (editions), which is stored, routed and compared all the same.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.pb.h"

namespace pinion::schema {

// What one request may carry; generous for the largest public API collections' single services.
inline constexpr size_t kMaxDescriptorSetBytes = 16 * 1024 * 1024;

// Health and reflection: every gateway answers these itself, so no version serves them.
bool IsGatewaysOwn(absl::string_view grpc_service);

struct GrpcService {
  std::string name;                  // full name
  std::vector<std::string> methods;  // as declared
};

// A serialised FileDescriptorSet with everything that its files import, and nothing twice.
// InvalidArgument, with one google.rpc.ErrorInfo and, for findings, a PreconditionFailure:
// DESCRIPTOR_SET_MALFORMED (not a descriptor set, one that contradicts itself, or larger than
// `bytes_max`), IMPORTS_MISSING (the message names --include_imports).
absl::StatusOr<google::protobuf::FileDescriptorSet> ReadFiles(
    absl::string_view bytes, size_t bytes_max = kMaxDescriptorSetBytes);

// The gRPC services, by full name, that a version of `files` serves unless it names them: all in
// the set but those that gateways answer themselves (grpc.health.v1, grpc.reflection) and those in
// google.* files that another file imports.
std::vector<std::string> ServedByDefault(const google::protobuf::FileDescriptorSet& files);

class Schema {
 public:
  // `bytes` is a serialised FileDescriptorSet with everything that its files import. `wanted` are
  // the gRPC services that the version serves; empty: as ServedByDefault.
  // InvalidArgument: as ReadFiles, or ARGUMENT_INVALID (a wanted service is not in it).
  static absl::StatusOr<Schema> Parse(absl::string_view bytes,
                                      const std::vector<std::string>& wanted = {});

  const google::protobuf::FileDescriptorSet& files() const { return files_; }
  // By name.
  const std::vector<GrpcService>& services() const { return services_; }
  // SHA-256 (64 hexadecimal digits) of the canonical closure of services(): the files that declare
  // them and all that these import, without source info, json_name filled in, by file name, unknown
  // options kept. Equal for schemas that differ in comments, in formatting and in files that
  // nothing needs.
  const std::string& digest() const { return digest_; }

 private:
  google::protobuf::FileDescriptorSet files_;
  std::vector<GrpcService> services_;
  std::string digest_;
};

}  // namespace pinion::schema
