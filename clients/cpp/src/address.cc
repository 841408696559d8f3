#include "src/address.h"

#include <algorithm>

namespace pinion::client {
namespace {

constexpr char kUnix[] = "unix:";
constexpr size_t kPortDigitsMax = 5;

bool IsPort(const std::string& text) {
  return !text.empty() && text.size() <= kPortDigitsMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string ParseAddress(const std::string& text, routing::v1::Address& address) {
  if (text.starts_with(kUnix)) {
    address.mutable_pipe()->set_path(text.substr(sizeof(kUnix) - 1));
    return "";
  }
  const size_t colon = text.rfind(':');
  std::string host = colon == std::string::npos ? "" : text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || !IsPort(text.substr(colon + 1))) {
    return "address: `" + text + "` is neither HOST:PORT nor unix:PATH";
  }
  if (host == "0.0.0.0" || host == "::") {
    return "address: `" + text + "` is every address of this machine; say the one that gateways " +
           "reach it at";
  }
  address.mutable_socket_address()->set_address(host);
  address.mutable_socket_address()->set_port_value(std::stoul(text.substr(colon + 1)));
  return "";
}

}  // namespace pinion::client
