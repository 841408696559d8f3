// The only place that knows libcurl.
#include <curl/curl.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "auth/key_source.h"
#include "auth/limits.h"

namespace pinion::auth {
namespace {

size_t Append(char* data, size_t size, size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  const size_t bytes = size * count;
  if (text.size() + bytes > limits::kJwksBytesMax) return 0;  // ends the transfer
  text.append(data, bytes);
  return bytes;
}

// Not zero: ends the transfer.
int Watch(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(stop) ? 1 : 0;
}

}  // namespace

absl::StatusOr<std::string> FetchByCurl(const std::string& url, const std::string& trusted_ca,
                                        const std::atomic<bool>& stop) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return absl::InternalError("libcurl cannot start");
  std::string text;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  const bool tls = absl::StartsWith(url, "https:");
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // Plain text stays on this machine, whatever proxy the environment names.
  if (!tls) curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "pinion");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  // Else the end of the time, or of the process, waits for a resolver that hears nothing.
  curl_easy_setopt(curl.get(), CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(limits::kJwksTimeout)));
  if (!trusted_ca.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, trusted_ca.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, Watch);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &stop);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", limits::kJwksBytesMax, " bytes came"));
  }
  if (code != CURLE_OK) {
    return absl::UnavailableError(error[0] != '\0' ? error : curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 300 && status < 400) {
    return absl::UnavailableError(absl::StrCat(
        "HTTP status ", status, "; redirects are not followed, so name the place itself"));
  }
  if (status != 200) return absl::UnavailableError(absl::StrCat("HTTP status ", status));
  return text;
}

}  // namespace pinion::auth
