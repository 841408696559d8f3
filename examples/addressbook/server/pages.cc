#include "examples/addressbook/server/pages.h"

#include <civetweb.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace addressbook {
namespace {

constexpr char kPointer[] = "current";

int RedirectToCurrent(mg_connection* connection, void*) {
  return mg_send_http_redirect(connection, "/current/", 307);
}

// The link is read once for a request. Left to civetweb, a page's length could be that of one
// version and its text that of the next.
int ServeCurrent(mg_connection* connection, void* root) {
  const std::filesystem::path folder = *static_cast<const std::string*>(root);
  std::error_code error;
  const std::filesystem::path version = std::filesystem::read_symlink(folder / kPointer, error);
  if (error) return mg_send_http_error(connection, 404, "no version is current");
  // Civetweb has taken the dots out of it.
  std::string rest = mg_get_request_info(connection)->local_uri + strlen("/current/");
  if (rest.empty() || rest.back() == '/') rest += "index.html";
  mg_send_mime_file(connection, (folder / version / rest).c_str(), nullptr);
  return 200;
}

absl::Status Failed(const char* call, const std::string& path) {
  return absl::InternalError(absl::StrCat(call, " ", path, ": ", strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PageServer>> PageServer::Start(const std::string& root,
                                                              const std::string& listen) {
  if (!std::filesystem::is_directory(root)) {
    return absl::NotFoundError(absl::StrCat("there is no folder ", root));
  }
  // max-age 0: a browser asks again for /current/ and sees at once when it points elsewhere.
  const char* options[] = {"document_root",
                           root.c_str(),
                           "listening_ports",
                           listen.c_str(),
                           "num_threads",
                           "4",
                           "static_file_max_age",
                           "0",
                           "enable_directory_listing",
                           "no",
                           nullptr};
  mg_context* context = mg_start(nullptr, nullptr, options);
  if (context == nullptr) return absl::UnavailableError(absl::StrCat("cannot listen on ", listen));
  mg_server_port port = {};
  mg_get_server_ports(context, 1, &port);
  const std::string host = listen.substr(0, listen.rfind(':'));
  std::string url = absl::StrCat("http://", host, ":", port.port, "/");
  return absl::WrapUnique(new PageServer(context, root, std::move(url)));
}

PageServer::PageServer(mg_context* context, std::string root, std::string url)
    : context_(context), root_(std::move(root)), url_(std::move(url)) {
  mg_set_request_handler(context_, "/$", &RedirectToCurrent, nullptr);
  mg_set_request_handler(context_, "/current$", &RedirectToCurrent, nullptr);
  mg_set_request_handler(context_, "/current/**", &ServeCurrent, &root_);
}

PageServer::~PageServer() { mg_stop(context_); }

absl::Status MovePointer(const std::string& root, const std::string& version) {
  const std::string pages = absl::StrCat(root, "/", version);
  if (version.empty() || version == kPointer || version.find('/') != std::string::npos ||
      !std::filesystem::is_regular_file(pages + "/index.html")) {
    return absl::NotFoundError(absl::StrCat("there is no version of the pages in ", pages));
  }
  // A folder of its own for the new link, because two callers at once must not use one name.
  std::string folder = absl::StrCat(root, "/.", kPointer, ".XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) return Failed("mkdtemp", folder);
  const std::string link = absl::StrCat(folder, "/", kPointer);
  absl::Status status;
  if (symlink(version.c_str(), link.c_str()) != 0) {
    status = Failed("symlink", link);
  } else if (rename(link.c_str(), absl::StrCat(root, "/", kPointer).c_str()) != 0) {
    status = Failed("rename", link);
    unlink(link.c_str());
  }
  rmdir(folder.c_str());
  return status;
}

}  // namespace addressbook
