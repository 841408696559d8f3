// The admin port: a small HTTP/1.1 server for operators and monitoring, on a thread of its own,
// through libmicrohttpd. Owned by main().
//
// It has no authorisation and takes whatever bytes come: bind it to loopback or a private network.
// It reads, and changes one thing: it passes on an operator's word, which must name what was
// refused, so that nobody gives it by accident.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/admin/pages.h"
#include "gateway/admin/sources.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::admin {

class AdminServer {
 public:
  // Listens on `address` and answers until destroyed. FailedPrecondition names the
  // address and what is wrong with it (in use, not of this machine, not permitted). REQUIRES: the
  // address is an IP address; port 0 lets the kernel choose.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const routing::v1::Address& address,
                                                            Sources sources);

  // Returns once running requests are answered and its thread has ended.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // With the real port: "127.0.0.1:8082", "[::1]:8082".
  std::string address() const;
  int port() const;

 private:
  class Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::admin
