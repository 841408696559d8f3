// Secrets as a plugin that gRPC asks for metadata.
#include "pinion/client/credentials.h"

#include <fstream>
#include <sstream>
#include <utility>

namespace pinion::client {
namespace {

class Secret : public grpc::MetadataCredentialsPlugin {
 public:
  // `value` is empty when it cannot be had; `where` says from where, for the call's error.
  Secret(std::string name, std::function<std::string()> value, std::string where = "its source")
      : name_(std::move(name)), value_(std::move(value)), where_(std::move(where)) {}

  grpc::Status GetMetadata(grpc::string_ref /*service_url*/, grpc::string_ref /*method_name*/,
                           const grpc::AuthContext& /*channel*/,
                           std::multimap<std::string, std::string>* metadata) override {
    const std::string value = value_();
    if (value.empty())
      return {grpc::StatusCode::UNAUTHENTICATED, "there is no credential in " + where_};
    metadata->emplace(name_, value);
    return grpc::Status::OK;
  }

 private:
  const std::string name_;
  const std::function<std::string()> value_;
  const std::string where_;
};

std::string Bearer(const std::string& token) { return token.empty() ? "" : "Bearer " + token; }

// Without white space around it; empty: it cannot be read.
std::string ReadToken(const std::string& path) {
  constexpr char kSpace[] = " \t\r\n";
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string text = read.str();
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace

std::shared_ptr<grpc::CallCredentials> ApiKey(const std::string& key, const std::string& header) {
  return grpc::MetadataCredentialsFromPlugin(
      std::make_unique<Secret>(header, [key] { return key; }));
}

std::shared_ptr<grpc::CallCredentials> Token(std::function<std::string()> source) {
  auto bearer = [source = std::move(source)] { return Bearer(source()); };
  return grpc::MetadataCredentialsFromPlugin(
      std::make_unique<Secret>("authorization", std::move(bearer)));
}

std::shared_ptr<grpc::CallCredentials> TokenFile(const std::string& path) {
  auto bearer = [path] { return Bearer(ReadToken(path)); };
  return grpc::MetadataCredentialsFromPlugin(
      std::make_unique<Secret>("authorization", std::move(bearer), path));
}

}  // namespace pinion::client
