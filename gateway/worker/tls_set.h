// All TLS contexts of a process, made from the files that its settings name. Immutable: every
// worker uses the same set, and gets the next one by its mailbox when a file has changed.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/net/tls_context.h"
#include "gateway/net/tls_tickets.h"
#include "gateway/upstream/tls.h"
#include "gateway/worker/settings.h"

namespace pinion::worker {

struct TlsSet {
  std::vector<std::shared_ptr<const net::TlsContext>> listeners;  // null: no TLS
  std::shared_ptr<const upstream::TlsContexts> upstream;

  // Made of files with the same content; of the same settings.
  bool SameFiles(const TlsSet& other) const;
};

// Reads the files. Errors say which file and why (gateway/net/tls_files.h). All listeners share
// `tickets`, so that a client may come back to another one. Where nothing is different from
// `before` (null: there is none), its contexts are used on.
absl::StatusOr<std::shared_ptr<const TlsSet>> LoadTls(
    const Settings& settings, const std::shared_ptr<const net::TlsTicketKeys>& tickets,
    const TlsSet* before);

}  // namespace pinion::worker
