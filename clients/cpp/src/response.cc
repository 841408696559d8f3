#include "src/response.h"

#include <ctime>
#include <iomanip>
#include <sstream>
#include <vector>

namespace pinion::client {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

std::vector<std::string> All(const Metadata& metadata, const std::string& name) {
  std::vector<std::string> values;
  const auto [first, last] = metadata.equal_range(name);
  for (auto it = first; it != last; ++it) values.emplace_back(it->second.data(), it->second.size());
  return values;
}

// "@1764000000"
std::optional<TimePoint> UnixTime(const std::string& text) {
  std::istringstream in(text);
  int64_t seconds = 0;
  if (in.get() != '@' || !(in >> seconds) || !in.eof()) return std::nullopt;
  return std::chrono::system_clock::from_time_t(seconds);
}

// "Mon, 01 Mar 2027 00:00:00 GMT"
std::optional<TimePoint> HttpDate(const std::string& text) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  std::tm parts = {};
  in >> std::get_time(&parts, "%a, %d %b %Y %H:%M:%S GMT");
  if (in.fail()) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

// Of `<URL>; rel="successor-version"`; else empty.
std::string Successor(const std::string& link) {
  const size_t end = link.find('>');
  const bool is_one = !link.empty() && link[0] == '<' && end != std::string::npos &&
                      link.find("rel=\"successor-version\"", end) != std::string::npos;
  return is_one ? link.substr(1, end - 1) : "";
}

}  // namespace

std::optional<Response> ReadMetadata(const Metadata& metadata, const std::string& grpc_service,
                                     const std::string& header) {
  const std::vector<std::string> versions = All(metadata, header);
  if (versions.empty()) return std::nullopt;
  Response response{versions.back(), std::nullopt};
  const std::vector<std::string> deprecation = All(metadata, "deprecation");
  if (deprecation.empty()) return response;
  Notice notice{grpc_service, response.version, UnixTime(deprecation[0]), std::nullopt, ""};
  for (const std::string& sunset : All(metadata, "sunset")) notice.sunset = HttpDate(sunset);
  for (const std::string& link : All(metadata, "link")) {
    if (const std::string url = Successor(link); !url.empty()) notice.link = url;
  }
  response.notice = std::move(notice);
  return response;
}

std::string GrpcServiceOf(const std::string& method) {
  const size_t end = method.find('/', 1);
  return end == std::string::npos ? "" : method.substr(1, end - 1);
}

Response ReadResponse(const grpc::ClientContext& context, const std::string& header) {
  if (const auto response = ReadMetadata(context.GetServerInitialMetadata(), "", header)) {
    return *response;
  }
  return ReadMetadata(context.GetServerTrailingMetadata(), "", header).value_or(Response{});
}

}  // namespace pinion::client
