// A real etcd on loopback, of one member or several, which a test starts, kills, stops and starts
// again. Ends with its object, or with the thread that made it. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pinion::testing {

class EtcdMembers {
 public:
  // Whether there is a program `etcd` on the PATH; as root: apt-get install etcd-server.
  static bool Installed();

  // Starts them with their data below `directory`, and remembers there where they listen. They may
  // not serve yet; who connects waits. `flags` are given to each beside what it needs.
  EtcdMembers(std::string directory, int count, std::vector<std::string> flags = {});
  ~EtcdMembers();
  EtcdMembers(const EtcdMembers&) = delete;
  EtcdMembers& operator=(const EtcdMembers&) = delete;

  // HOST:PORT of each.
  const std::vector<std::string>& endpoints() const { return endpoints_; }
  static std::vector<std::string> EndpointsIn(const std::string& directory);
  // What the members said there, for whoever looks into a failure.
  static std::string LogsIn(const std::string& directory);
  int size() const { return static_cast<int>(endpoints_.size()); }

  // SIGKILL, and it is gone; what it had on disk stays.
  void Kill(int member);
  void Start(int member);  // REQUIRES: it does not run
  void Pause(int member);  // SIGSTOP: it holds its connections and says nothing
  void Resume(int member);

 private:
  const std::string directory_;
  const std::vector<std::string> flags_;
  std::string scheme_ = "http";
  std::vector<std::string> endpoints_;
  std::vector<std::string> peers_;
  std::vector<pid_t> pids_;  // 0: does not run
};

}  // namespace pinion::testing
