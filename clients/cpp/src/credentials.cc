// Secrets as a plugin that gRPC asks for metadata.
#include "pinion/client/credentials.h"

#include <utility>

namespace pinion::client {
namespace {

class Secret : public grpc::MetadataCredentialsPlugin {
 public:
  Secret(std::string name, std::function<std::string()> value)
      : name_(std::move(name)), value_(std::move(value)) {}

  grpc::Status GetMetadata(grpc::string_ref /*service_url*/, grpc::string_ref /*method_name*/,
                           const grpc::AuthContext& /*channel*/,
                           std::multimap<std::string, std::string>* metadata) override {
    metadata->emplace(name_, value_());
    return grpc::Status::OK;
  }

 private:
  const std::string name_;
  const std::function<std::string()> value_;
};

}  // namespace

std::shared_ptr<grpc::CallCredentials> ApiKey(const std::string& key, const std::string& header) {
  return grpc::MetadataCredentialsFromPlugin(
      std::make_unique<Secret>(header, [key] { return key; }));
}

std::shared_ptr<grpc::CallCredentials> Token(std::function<std::string()> source) {
  auto bearer = [source = std::move(source)] { return "Bearer " + source(); };
  return grpc::MetadataCredentialsFromPlugin(
      std::make_unique<Secret>("authorization", std::move(bearer)));
}

}  // namespace pinion::client
