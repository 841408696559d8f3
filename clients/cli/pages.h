// Lists that come in pages, as one.
#pragma once

#include "absl/status/statusor.h"
#include "clients/cli/registry_client.h"

namespace pinion::cli {

// All pages of a list, merged; next_page_token is empty.
template <typename Request, typename Response>
absl::StatusOr<Response> AllPages(RegistryClient& registry,
                                  absl::StatusOr<Response> (RegistryClient::*list)(const Request&),
                                  Request request) {
  Response all;
  do {
    absl::StatusOr<Response> page = (registry.*list)(request);
    if (!page.ok()) return std::move(page).status();
    request.set_page_token(page->next_page_token());
    all.MergeFrom(*page);
  } while (!request.page_token().empty());
  all.clear_next_page_token();
  return all;
}

}  // namespace pinion::cli
