#include "clients/cli/contexts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/read_file.h"
#include "base/record_file.h"
#include "base/status_macros.h"
#include "clients/cli/json_text.h"
#include "config/decode.h"
#include "config/errors.h"
#include "config/yaml_tree.h"

namespace pinion::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBytesMax = 1 << 20;
// Names where tokens and keys are.
constexpr mode_t kForTheOwner = 0600;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  // Whether it closed well.
  bool Close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

absl::Status CannotWrite(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
}

absl::Status WriteWhole(const std::string& path, const std::string& text) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kForTheOwner));
  if (file.get() < 0 || ::fchmod(file.get(), kForTheOwner) != 0) return CannotWrite(path);
  for (size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(file.get(), text.data() + done, text.size() - done);
    if (wrote < 0) return CannotWrite(path);
    done += static_cast<size_t>(wrote);
  }
  if (::fsync(file.get()) != 0 || !file.Close()) return CannotWrite(path);
  return absl::OkStatus();
}

absl::Status Check(const command::v1::Contexts& contexts, const std::string& path) {
  std::set<std::string> names;
  for (const command::v1::Context& context : contexts.contexts()) {
    if (context.name().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": a context has no name"));
    }
    if (!names.insert(context.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": context \"", context.name(), "\" is there twice"));
    }
  }
  if (contexts.current().empty() || names.count(contexts.current()) != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": current is \"", contexts.current(), "\", which is no context"));
}

}  // namespace

std::string ContextsPath(const Environment& environment) {
  const std::string config = environment("XDG_CONFIG_HOME").value_or("");
  // A relative one is to be ignored: XDG Base Directory Specification.
  if (!config.empty() && config[0] == '/') return absl::StrCat(config, "/pinion/contexts.yaml");
  const std::string home = environment("HOME").value_or("");
  return home.empty() ? "" : absl::StrCat(home, "/.config/pinion/contexts.yaml");
}

absl::StatusOr<command::v1::Contexts> LoadContexts(const std::string& path) {
  command::v1::Contexts contexts;
  std::error_code none;
  if (path.empty() || !fs::exists(path, none)) return contexts;
  const absl::StatusOr<std::string> text = ReadFile(path, kBytesMax);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", text.status().message()));
  }
  config::ErrorList errors(path);
  const config::NodePtr root = config::ParseYaml(*text, errors);
  if (root == nullptr) return errors.ToStatus();
  config::SourceMap source;
  config::DecodeMessage(*root, contexts, source, errors);
  if (!errors.empty()) return errors.ToStatus();
  RETURN_IF_ERROR(Check(contexts, path));
  return contexts;
}

absl::Status ChangeContexts(const std::string& path,
                            const std::function<absl::Status(command::v1::Contexts&)>& change) {
  if (path.empty()) {
    return absl::FailedPreconditionError(
        "neither $XDG_CONFIG_HOME nor $HOME says where contexts are kept");
  }
  const std::string folder = fs::path(path).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make ", folder, ": ", error.message()));
  }
  // Held until the new file is there; the file itself is replaced, so it cannot be what is locked.
  const std::string lock_path = absl::StrCat(path, ".lock");
  const Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kForTheOwner));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return CannotWrite(lock_path);
  ASSIGN_OR_RETURN(command::v1::Contexts contexts, LoadContexts(path));
  RETURN_IF_ERROR(change(contexts));
  RETURN_IF_ERROR(Check(contexts, path));
  const std::string unfinished = absl::StrCat(path, ".new");
  RETURN_IF_ERROR(WriteWhole(unfinished, JsonToYaml(ToSchemaJson(contexts))));
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) return CannotWrite(path);
  return SyncDirectory(folder);
}

}  // namespace pinion::cli
