#include "tests/testing/sim_server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/testing/sim_server_call.h"

namespace pinion::testing {
namespace {

// After a lowered limit was announced, new streams above it may be under way for this long.
constexpr absl::Duration kLimitGrace = absl::Seconds(5);

// SETTINGS with one MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5): the engine announces its limits
// only once, so a server that changes its mind writes the frame itself.
std::vector<uint8_t> MaxStreamsFrame(uint32_t streams) {
  return {0,
          0,
          6,
          4,
          0,
          0,
          0,
          0,
          0,
          0,
          3,
          static_cast<uint8_t>(streams >> 24),
          static_cast<uint8_t>(streams >> 16),
          static_cast<uint8_t>(streams >> 8),
          static_cast<uint8_t>(streams)};
}

}  // namespace

class SimServer::Connection final : public net::Deferred, private transport::Connection::Handler {
 public:
  Connection(SimServer& server, std::unique_ptr<net::ByteStream> stream)
      : server_(server),
        loop_(server.shared_.loop),
        transport_(server.shared_, std::move(stream), http2::Role::kServer, server.options_, *this),
        goaway_(
            loop_.timers(), [](void* self) { static_cast<Connection*>(self)->FinishGoAway(); },
            this) {}

  void GoAway(absl::Duration grace) {
    transport_.session().GoAwayNotice();
    goaway_.Arm(loop_.now() + grace);
  }

  void FinishGoAway() {
    transport_.session().GoAwayFinal(http2::ErrorCode::kNoError, "the instance stops");
    going_away_ = true;
    CloseIfDone();
  }

  void LowerMaxStreams(uint32_t streams) {
    transport_.session().output().Append(MaxStreamsFrame(streams));
    limit_ = streams;
    limit_since_ = loop_.now();
  }

  size_t active_streams() const { return calls_.size(); }

 private:
  void OnEvent(const http2::Event& event) override;
  void OnWritable(http2::Stream& stream) override {
    static_cast<Call*>(stream.user())->OnWritable();
  }
  void OnClosed(absl::string_view why) override {
    *ended_ = true;
    server_.Remove(*this);
  }

  void OnRequest(const http2::Event& event);
  void Fill(AttemptRecord& attempt, const http2::HeaderBlock& block);
  void Remove(Call& call);
  void CloseIfDone() {
    if (going_away_ && calls_.empty()) transport_.Close("the instance stops");
  }

  SimServer& server_;
  net::EventLoop& loop_;
  transport::Connection transport_;
  net::Timer goaway_;
  std::vector<std::unique_ptr<Call>> calls_;
  uint32_t limit_ = UINT32_MAX;  // lowered to
  absl::Time limit_since_;
  bool going_away_ = false;
  const std::shared_ptr<bool> ended_ = std::make_shared<bool>(false);
};

void SimServer::Connection::OnEvent(const http2::Event& event) {
  if (event.stream == nullptr) return;
  if (event.type == http2::EventType::kHeaders) return OnRequest(event);
  // Null: the call was over earlier in this batch of events.
  if (auto* call = static_cast<Call*>(event.stream->user())) call->OnEvent(event);
}

void SimServer::Connection::OnRequest(const http2::Event& event) {
  const auto refuse = [&] {
    transport_.session().Release(*event.stream, http2::ErrorCode::kRefusedStream);
  };
  if (calls_.size() >= limit_) {
    if (loop_.now() > limit_since_ + kLimitGrace) {
      server_.book_.Complain(absl::StrCat("a stream above MAX_CONCURRENT_STREAMS ", limit_, " at ",
                                          server_.identity_.uid));
    }
    return refuse();
  }
  CallBook::Entry* entry = nullptr;
  for (const http2::HeaderField& field : event.headers->fields()) {
    if (field.name != absl::string_view(kCallHeader.data(), kCallHeader.size())) continue;
    entry = server_.book_.Find(std::string_view(field.value.data(), field.value.size()));
  }
  if (entry == nullptr) {
    server_.book_.Complain("a request that no client made");
    return refuse();
  }
  entry->attempts.push_back(std::make_unique<AttemptRecord>());
  AttemptRecord& attempt = *entry->attempts.back();
  Fill(attempt, *event.headers);
  attempt.call = entry->plan.id;
  attempt.number = static_cast<int>(entry->attempts.size());
  server_.book_.Note(server_.identity_.uid, "sees call", attempt.call);
  if (entry->plan.response.kind == ResponsePlan::Kind::kRefuse && entry->attempts.size() == 1) {
    attempt.end = AttemptRecord::End::kRefused;
    attempt.ended = loop_.now();
    server_.book_.Note(server_.identity_.uid, "refuses call", attempt.call);
    return refuse();
  }
  auto call = std::make_unique<Call>(
      loop_, transport_, *event.stream, entry->plan, attempt, [this, &attempt](Call& over) {
        server_.book_.Note(server_.identity_.uid, NameOf(attempt.end), attempt.call);
        Remove(over);
      });
  event.stream->set_user(call.get());
  calls_.push_back(std::move(call));
  calls_.back()->Begin(event.end_stream);
}

void SimServer::Connection::Fill(AttemptRecord& attempt, const http2::HeaderBlock& block) {
  attempt.uid = server_.identity_.uid;
  attempt.version = server_.identity_.version;
  attempt.started = loop_.now();
  attempt.connection_ended = ended_;
  for (const http2::HeaderField& field : block.fields()) {
    if (field.name == ":authority") attempt.authority = std::string(field.value);
    if (field.name == ":path") attempt.path = std::string(field.value);
    if (field.name[0] == ':') continue;
    attempt.metadata.emplace_back(std::string(field.name), std::string(field.value));
  }
}

void SimServer::Connection::Remove(Call& call) {
  const auto place = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& each) { return each.get() == &call; });
  CHECK(place != calls_.end());
  // Its own functions are still on the stack.
  loop_.DeleteLater(std::move(*place));
  calls_.erase(place);
  CloseIfDone();
}

SimServer::SimServer(transport::Shared& shared, Identity identity, const http2::Options& options,
                     CallBook& book)
    : shared_(shared), identity_(std::move(identity)), options_(options), book_(book) {}

SimServer::~SimServer() = default;

void SimServer::Accept(std::unique_ptr<net::ByteStream> stream) {
  connections_.push_back(std::make_unique<Connection>(*this, std::move(stream)));
}

void SimServer::GoAway(absl::Duration grace) {
  for (const auto& connection : connections_) connection->GoAway(grace);
}

void SimServer::GoAwayAtOnce() {
  for (const auto& connection : connections_) connection->FinishGoAway();
}

void SimServer::LowerMaxStreams(uint32_t streams) {
  options_.max_concurrent_streams = streams;
  for (const auto& connection : connections_) connection->LowerMaxStreams(streams);
}

size_t SimServer::active_streams() const {
  size_t active = 0;
  for (const auto& connection : connections_) active += connection->active_streams();
  return active;
}

void SimServer::Remove(Connection& connection) {
  const auto place = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& each) { return each.get() == &connection; });
  CHECK(place != connections_.end());
  shared_.loop.DeleteLater(std::move(*place));
  connections_.erase(place);
}

}  // namespace pinion::testing
