// Static pages, versioned side by side: ROOT/1.0.0/, ROOT/2.0.0/, …, each folder never touched
// again once it is out, and a symlink ROOT/current that says which of them visitors get. Moving it
// forwards or back is one atomic step.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct mg_context;

namespace addressbook {

// Serves a folder over HTTP with threads of its own until destroyed. `/` leads to `/current/`; each
// version stays at its own address, which its pages also use for what they include, so that a move
// never mixes two versions on one screen.
class PageServer {
 public:
  // `listen` is host:port; port 0 takes a free one.
  static absl::StatusOr<std::unique_ptr<PageServer>> Start(const std::string& root,
                                                           const std::string& listen);
  ~PageServer();

  // "http://127.0.0.1:40124/"
  const std::string& url() const { return url_; }

 private:
  PageServer(mg_context* context, std::string root, std::string url);

  mg_context* const context_;
  std::string root_;
  const std::string url_;
};

// Makes ROOT/current point to ROOT/VERSION, at once for every visitor: the new link replaces the
// old by rename(2). NotFound: there is no such version.
absl::Status MovePointer(const std::string& root, const std::string& version);

}  // namespace addressbook
