// Callers that change and read pins, channels and the end of versions through several registries,
// and write down what each was told and when, for tests/conformance/programs/linear to judge.
//   pin_load HISTORY SECONDS CALLERS REGISTRY…
// Each round has a service of its own. Its version 1.0.0 is deprecated, and may be retired in the
// midst of pins and channels that come to it.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "clients/cli/registry_client.h"

namespace pinion {
namespace {

namespace v1 = registry::v1;

constexpr absl::Duration kRound = absl::Milliseconds(1'500);
// Longer than a registry takes to say that its store does not answer.
constexpr absl::Duration kCallTimeout = absl::Seconds(25);
constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr char kEnding[] = "1.0.0";
constexpr char kStaying[] = "2.0.0";

// What an operation came to, for the history.
struct Outcome {
  std::string result;  // ok, refused, nothing (it was certainly not carried out), unknown
  std::string read = "";
  std::string said = "";  // why it is none of the first two
};

Outcome OutcomeOf(const absl::Status& status) {
  if (status.ok()) return {"ok"};
  const std::string reason = cli::ReasonOf(status);
  for (const char* refusal : {"VERSION_RETIRED", "VERSION_NOT_ACTIVE", "VERSION_IN_USE"}) {
    if (reason == refusal) return {"refused"};
  }
  const auto outcome = [&](const std::string& result) {
    return Outcome{.result = result, .said = absl::StrCat(reason, " ", status.message())};
  };
  if (reason == "OUTCOME_UNKNOWN") return outcome("unknown");
  if (reason == "STORE_UNAVAILABLE" || reason == "CONTENTION") return outcome("nothing");
  if (!reason.empty()) return outcome(absl::StrCat("error ", reason));
  // The registry itself was not there, or ended meanwhile.
  const bool never_sent = absl::StrContains(status.message(), "onnection refused");
  return outcome(never_sent ? "nothing" : "unknown");
}

class History {
 public:
  explicit History(const std::string& path) : file_(path) {}

  int64_t Now() const { return absl::ToInt64Nanoseconds(SystemClock().Monotonic() - start_); }
  void Add(int caller, const std::string& service, const std::string& what, int64_t begun,
           const Outcome& outcome) {
    const int64_t ended = Now();
    MutexLock lock(&mutex_);
    file_ << absl::StrFormat(
                 R"({"caller":%d,"service":"%s",%s,"start":%d,"end":%d,"result":"%s","read":"%s",)"
                 R"("said":"%s"})",
                 caller, service, what, begun, ended, outcome.result, outcome.read,
                 absl::StrReplaceAll(outcome.said, {{"\"", "'"}, {"\\", "/"}, {"\n", " "}}))
          << "\n";
  }

 private:
  const absl::Time start_ = SystemClock().Monotonic();
  Mutex mutex_;
  std::ofstream file_;
};

// A caller has a client for each registry and goes to another when one is away.
class Clients {
 public:
  Clients(const std::vector<std::string>& addresses, size_t first) : at_(first % addresses.size()) {
    for (const std::string& address : addresses) {
      clients_.push_back(std::make_unique<cli::RegistryClient>(cli::RegistryClient::Target{
          .addresses = {address}, .actor = "load", .timeout = kCallTimeout}));
    }
  }
  cli::RegistryClient& Any() { return *clients_[at_]; }
  void Next() { at_ = (at_ + 1) % clients_.size(); }

  // For what prepares a round: until it is done.
  template <typename Response, typename Request>
  bool Must(absl::StatusOr<Response> (cli::RegistryClient::*method)(const Request&),
            const Request& request) {
    const absl::Time give_up = SystemClock().Monotonic() + kPatience;
    absl::Status status;
    do {
      status = (Any().*method)(request).status();
      // Also by an attempt whose answer was lost.
      if (status.ok() || absl::IsAlreadyExists(status)) return true;
      Next();
    } while (SystemClock().Monotonic() < give_up);
    std::fprintf(stderr, "a round cannot be prepared: %s\n", status.ToString().c_str());
    return false;
  }

 private:
  std::vector<std::unique_ptr<cli::RegistryClient>> clients_;
  size_t at_;
};

bool Prepare(Clients& clients, const std::string& service, int round) {
  for (const char* name : {kEnding, kStaying}) {
    v1::PublishVersionRequest publish;
    publish.set_service(service);
    publish.set_name(name);
    if (!clients.Must(&cli::RegistryClient::PublishVersion, publish)) return false;
    v1::RegisterInstanceRequest instance;
    instance.mutable_instance()->set_service(service);
    instance.mutable_instance()->set_version(name);
    auto& address = *instance.mutable_instance()->mutable_address()->mutable_socket_address();
    address.set_address("127.0.0.1");
    address.set_port_value(static_cast<uint32_t>(10'000 + round));
    if (!clients.Must(&cli::RegistryClient::RegisterInstance, instance)) return false;
  }
  v1::SetChannelRequest channel;
  channel.mutable_channel()->set_service(service);
  channel.mutable_channel()->set_name("stable");
  channel.mutable_channel()->set_version(kStaying);
  if (!clients.Must(&cli::RegistryClient::SetChannel, channel)) return false;
  v1::DeprecateVersionRequest deprecate;
  deprecate.set_service(service);
  deprecate.set_name(kEnding);
  if (!clients.Must(&cli::RegistryClient::DeprecateVersion, deprecate)) return false;
  v1::ListInstancesRequest list;
  list.set_service(service);
  list.set_version(kEnding);
  const auto instances = clients.Any().ListInstances(list);
  if (!instances.ok()) return Prepare(clients, service, round);
  for (const v1::Instance& instance : instances->instances()) {
    v1::DeregisterInstanceRequest deregister;
    deregister.set_uid(instance.instance().uid());
    const absl::Status gone = clients.Any().DeregisterInstance(deregister).status();
    if (!gone.ok() && !absl::IsNotFound(gone)) return Prepare(clients, service, round);
  }
  return true;
}

struct Round {
  std::string service;
  absl::Time end;
};

std::string Quote(const std::string& op, const std::string& object, const std::string& value) {
  return absl::StrCat("\"op\":\"", op, "\",\"object\":\"", object, "\",\"value\":\"", value, "\"");
}

class LoadCaller {
 public:
  LoadCaller(int number, History& history, Clients clients)
      : number_(number), history_(history), clients_(std::move(clients)), random_(number) {}

  void Play(const Round& round) {
    while (SystemClock().Monotonic() < round.end) {
      const std::string consumer = absl::StrCat("consumer-", random_() % 2);
      const std::string version = random_() % 2 == 0 ? kEnding : kStaying;
      switch (random_() % 12) {
        case 0:
          Retire(round.service);
          break;
        case 1:
        case 2:
          SetChannel(round.service, version);
          break;
        case 3:
          ReadChannel(round.service);
          break;
        case 4:
          ReadState(round.service);
          break;
        case 5:
        case 6:
        case 7:
          ReadPin(round.service, consumer);
          break;
        default:
          SetPin(round.service, consumer, version);
      }
    }
  }
  Clients& clients() { return clients_; }

 private:
  void SetPin(const std::string& service, const std::string& consumer, const std::string& version) {
    v1::SetPinRequest request;
    request.mutable_pin()->set_service(service);
    request.mutable_pin()->set_consumer(consumer);
    request.mutable_pin()->set_expression(version);
    const int64_t begun = history_.Now();
    Note(service, Quote("set_pin", consumer, version), begun,
         OutcomeOf(clients_.Any().SetPin(request).status()));
  }
  void ReadPin(const std::string& service, const std::string& consumer) {
    v1::GetPinRequest request;
    request.set_service(service);
    request.set_consumer(consumer);
    const int64_t begun = history_.Now();
    const auto pin = clients_.Any().GetPin(request);
    Outcome outcome = OutcomeOf(pin.status());
    if (absl::IsNotFound(pin.status())) outcome = {"ok"};
    if (pin.ok()) outcome.read = pin->pin().expression();
    Note(service, Quote("get_pin", consumer, ""), begun, outcome);
  }
  void SetChannel(const std::string& service, const std::string& version) {
    v1::SetChannelRequest request;
    request.mutable_channel()->set_service(service);
    request.mutable_channel()->set_name("stable");
    request.mutable_channel()->set_version(version);
    const int64_t begun = history_.Now();
    Note(service, Quote("set_channel", "stable", version), begun,
         OutcomeOf(clients_.Any().SetChannel(request).status()));
  }
  void ReadChannel(const std::string& service) {
    v1::GetChannelRequest request;
    request.set_service(service);
    request.set_name("stable");
    const int64_t begun = history_.Now();
    const auto channel = clients_.Any().GetChannel(request);
    Outcome outcome = OutcomeOf(channel.status());
    if (channel.ok()) outcome.read = channel->channel().version();
    Note(service, Quote("get_channel", "stable", ""), begun, outcome);
  }
  void Retire(const std::string& service) {
    v1::RetireVersionRequest request;
    request.set_service(service);
    request.set_name(kEnding);
    const int64_t begun = history_.Now();
    Note(service, Quote("retire", kEnding, ""), begun,
         OutcomeOf(clients_.Any().RetireVersion(request).status()));
  }
  void ReadState(const std::string& service) {
    v1::GetVersionRequest request;
    request.set_service(service);
    request.set_name(kEnding);
    const int64_t begun = history_.Now();
    const auto version = clients_.Any().GetVersion(request);
    Outcome outcome = OutcomeOf(version.status());
    if (version.ok()) {
      outcome.read = version->version().state() == routing::v1::RETIRED ? "retired" : "there";
    }
    Note(service, Quote("get_state", kEnding, ""), begun, outcome);
  }
  void Note(const std::string& service, const std::string& what, int64_t begun,
            const Outcome& outcome) {
    history_.Add(number_, service, what, begun, outcome);
    if (outcome.result == "nothing" || outcome.result == "unknown") clients_.Next();
  }

  const int number_;
  History& history_;
  Clients clients_;
  std::minstd_rand random_;
};

int Main(const std::string& path, int seconds, int callers,
         const std::vector<std::string>& registries) {
  History history(path);
  std::vector<std::unique_ptr<LoadCaller>> all;
  for (int i = 0; i < callers; ++i) {
    all.push_back(
        std::make_unique<LoadCaller>(i, history, Clients(registries, static_cast<size_t>(i))));
  }
  for (const char* name : {"consumer-0", "consumer-1"}) {
    v1::CreateConsumerRequest consumer;
    consumer.mutable_consumer()->set_name(name);
    if (!all[0]->clients().Must(&cli::RegistryClient::CreateConsumer, consumer)) return 1;
  }
  const absl::Time end = SystemClock().Monotonic() + absl::Seconds(seconds);
  for (int number = 0; SystemClock().Monotonic() < end; ++number) {
    Round round{.service = absl::StrCat("service-", number)};
    if (!Prepare(all[0]->clients(), round.service, number)) return 1;
    round.end = SystemClock().Monotonic() + kRound;
    std::vector<std::thread> threads;
    for (const auto& caller : all) {
      threads.emplace_back([caller = caller.get(), &round] { caller->Play(round); });
    }
    for (std::thread& thread : threads) thread.join();
    std::printf("round %d\n", number);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace pinion

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: pin_load HISTORY SECONDS CALLERS REGISTRY...\n");
    return 2;
  }
  return pinion::Main(argv[1], std::atoi(argv[2]), std::atoi(argv[3]),
                      std::vector<std::string>(argv + 4, argv + argc));
}
