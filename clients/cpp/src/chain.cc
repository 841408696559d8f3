#include "src/chain.h"

#include <algorithm>

namespace pinion::client {
namespace {

constexpr size_t kChainBytesMax = 4096;

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::string ChainHeader(const std::string& header) { return header + "-context"; }

std::string Sendable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string ParseChainPins(const std::string& text, ChainPins& pins) {
  if (text.size() > kChainBytesMax) {
    return std::to_string(text.size()) + " bytes, the limit is " + std::to_string(kChainBytesMax);
  }
  for (size_t from = 0; from <= text.size();) {
    const size_t end = std::min(text.find(',', from), text.size());
    const std::string entry = Trimmed(text.substr(from, end - from));
    const size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == entry.size()) {
      return "`" + entry + "` is not SERVICE=EXPRESSION";
    }
    pins[entry.substr(0, equals)] = entry.substr(equals + 1);
    from = end + 1;
  }
  return "";
}

std::string FormatChainPins(const ChainPins& pins) {
  std::string text;
  for (const auto& [grpc_service, expression] : pins) {
    text += (text.empty() ? "" : ", ") + grpc_service + "=" + expression;
  }
  return text;
}

grpc::Status ReadChainPins(const grpc::ServerContextBase& context, ChainPins& pins,
                           const std::string& header) {
  const std::string name = ChainHeader(header);
  const auto [first, last] = context.client_metadata().equal_range(name);
  for (auto it = first; it != last; ++it) {
    const std::string problem =
        ParseChainPins(std::string(it->second.data(), it->second.size()), pins);
    if (!problem.empty()) {
      return {grpc::StatusCode::INVALID_ARGUMENT,
              "the metadata `" + name + "` is malformed: " + problem};
    }
  }
  return grpc::Status::OK;
}

void PassOn(const ChainPins& pins, grpc::ClientContext& context, const std::string& header) {
  if (!pins.empty()) context.AddMetadata(ChainHeader(header), Sendable(FormatChainPins(pins)));
}

}  // namespace pinion::client
