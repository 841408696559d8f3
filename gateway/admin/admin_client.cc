#include "gateway/admin/admin_client.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/observability_limits.h"

namespace pinion::admin {
namespace {

size_t Append(char* data, size_t size, size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  const size_t bytes = size * count;
  if (text.size() + bytes > limits::kAdminAnswerBytesMax) return 0;  // ends the transfer
  text.append(data, bytes);
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> Accept(const std::string& address, const std::string& registry_id) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return absl::InternalError("libcurl cannot start");
  const std::unique_ptr<char, void (*)(void*)> id(
      curl_easy_escape(curl.get(), registry_id.data(), static_cast<int>(registry_id.size())),
      curl_free);
  const std::string url = absl::StrCat("http://", address, "/accept?registry=", id.get());
  std::string answer;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, limits::kAdminAnswerSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    return absl::UnavailableError(
        absl::StrCat("no gateway's admin port answers at ", address, " (",
                     error[0] != '\0' ? error : curl_easy_strerror(code),
                     "): name it with --admin; the gateway said its address when it started"));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  answer = std::string(absl::StripTrailingAsciiWhitespace(answer));
  if (status == 200) return answer;
  if (status == 409) return absl::FailedPreconditionError(answer);
  return absl::UnavailableError(absl::StrCat(
      address, " is no gateway's admin port, or of another version: HTTP status ", status));
}

}  // namespace pinion::admin
