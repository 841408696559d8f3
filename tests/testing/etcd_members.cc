#include "tests/testing/etcd_members.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/check.h"

namespace pinion::testing {
namespace {

// etcd cannot choose ports by itself where members have to know each other's; these are below those
// that the kernel gives to whoever connects.
std::string FreeAddress() {
  std::random_device random;
  while (true) {
    const auto port = static_cast<uint16_t>(20'000 + random() % 12'000);
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(probe >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(probe);
    if (free) return absl::StrCat("127.0.0.1:", port);
  }
}

std::string Program() {
  const char* path = std::getenv("PATH");
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    std::string program = absl::StrCat(folder, "/etcd");
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

pid_t Spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

bool EtcdMembers::Installed() { return !Program().empty(); }

EtcdMembers::EtcdMembers(std::string directory, int count, std::vector<std::string> flags)
    : directory_(std::move(directory)), flags_(std::move(flags)) {
  std::filesystem::create_directories(directory_);
  for (const std::string& flag : flags_) {
    if (flag.rfind("--cert-file", 0) == 0) scheme_ = "https";
  }
  for (int i = 0; i < count; ++i) {
    endpoints_.push_back(FreeAddress());
    peers_.push_back(FreeAddress());
  }
  std::ofstream(directory_ + "/endpoints") << absl::StrJoin(endpoints_, "\n");
  pids_.resize(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) Start(i);
}

EtcdMembers::~EtcdMembers() {
  for (int i = 0; i < size(); ++i) Kill(i);
}

std::vector<std::string> EtcdMembers::EndpointsIn(const std::string& directory) {
  std::ifstream file(directory + "/endpoints");
  std::vector<std::string> endpoints;
  for (std::string line; std::getline(file, line);) endpoints.push_back(line);
  return endpoints;
}

std::string EtcdMembers::LogsIn(const std::string& directory) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream log(entry.path());
    absl::StrAppend(&text, entry.path().filename().native(), ":\n",
                    std::string(std::istreambuf_iterator<char>(log), {}), "\n");
  }
  return text;
}

void EtcdMembers::Start(int member) {
  std::vector<std::string> cluster;
  for (int i = 0; i < size(); ++i) cluster.push_back(absl::StrCat("m", i, "=http://", peers_[i]));
  const std::string client = absl::StrCat(scheme_, "://", endpoints_[member]);
  const std::string peer = absl::StrCat("http://", peers_[member]);
  std::vector<std::string> command = {
      Program(),
      absl::StrCat("--name=m", member),
      absl::StrCat("--data-dir=", directory_, "/m", member),
      absl::StrCat("--listen-client-urls=", client),
      absl::StrCat("--advertise-client-urls=", client),
      absl::StrCat("--listen-peer-urls=", peer),
      absl::StrCat("--initial-advertise-peer-urls=", peer),
      absl::StrCat("--initial-cluster=", absl::StrJoin(cluster, ",")),
      // What a killed process wrote the kernel keeps; a disk that is busy with a build holds up no
      // election.
      "--unsafe-no-fsync",
      // Elections in half a second, leases from one second on.
      "--heartbeat-interval=50",
      "--election-timeout=500",
      "--logger=zap",
      "--log-level=warn",
  };
  command.insert(command.end(), flags_.begin(), flags_.end());
  pids_[member] = Spawn(command, absl::StrCat(directory_, "/m", member, ".log"));
}

void EtcdMembers::Kill(int member) {
  if (pids_[member] == 0) return;
  kill(pids_[member], SIGKILL);
  waitpid(pids_[member], nullptr, 0);
  pids_[member] = 0;
}

void EtcdMembers::Pause(int member) { kill(pids_[member], SIGSTOP); }
void EtcdMembers::Resume(int member) { kill(pids_[member], SIGCONT); }

}  // namespace pinion::testing
