// Calls to the registry. The only part of the gateway that speaks gRPC C++: its callbacks post to a
// mailbox, everything else happens on the watcher's thread.
//
//   Channel::Begin(request) ─▶ Event kMessage, Next() … kMessage, Next() … kStreamEnded
#pragma once

#include <memory>
#include <string>

#include "dial/credentials.h"
#include "gateway/watch/mailbox.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

class Stream {
 public:
  virtual ~Stream() = default;

  // Lets the next message come; to be called once for each message, before or after using it.
  virtual void Next() = 0;
  // The stream ends soon. REQUIRES: Next() was called for the last message.
  virtual void Cancel() = 0;
};

class Channel {
 public:
  // `address`: "127.0.0.1:8081", "unix:/run/pinion.sock". Every call shows `credentials`.
  Channel(const std::string& address, const dial::Credentials& credentials);
  // Cancels the calls below that are under way, and returns when each has posted its event.
  ~Channel();

  // Begins a call that posts to `mailbox`. The stream must not be destroyed before its kStreamEnded
  // was taken from there.
  std::unique_ptr<Stream> Begin(const registry::v1::WatchRequest& request,
                                std::shared_ptr<Mailbox> mailbox);

  // Fetches the version's schema and posts it as kSchema, exactly once. NotFound: there is no such
  // version, or by now its schema has another digest.
  void FetchSchema(const SchemaKey& key, std::shared_ptr<Mailbox> mailbox);

  // Proposes pins and posts what became of them as kProposed, in the same way.
  void ProposePins(const registry::v1::ProposePinsRequest& request,
                   std::shared_ptr<Mailbox> mailbox);

  // Reports, and posts whether that was taken as kReported, in the same way.
  void Report(const registry::v1::ReportGatewayRequest& request, std::shared_ptr<Mailbox> mailbox);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::watch
