// Many calls at once between a client and a server session, with random sizes, splits, windows,
// pauses and resets from a seed. Every byte, header and trailer is compared; in the end every call
// has come to its end and nothing is left over.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http2/session.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using pinion::testing::Random;

// The content of a body is known from its call and offset, so that it need not be kept.
std::string Body(StreamId id, size_t offset, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((offset + i) * 31 + id * 7);
  return bytes;
}

// One side of one call.
struct Half {
  StreamId id = 0;
  size_t to_send = 0;
  size_t sent = 0;
  size_t expected = 0;  // of the other side
  size_t received = 0;
  size_t unconsumed = 0;
  bool with_trailers = false;
  bool headers_sent = false;
  bool done_sending = false;
  bool ended = false;  // the other side's END_STREAM
  bool reset = false;
};

// What both sides agree on about call `id`, so that neither has to tell the other.
struct Plan {
  size_t request_bytes;
  size_t response_bytes;
  bool request_trailers;
  bool response_trailers;
  bool cancelled;
};

Plan PlanOf(uint64_t seed, StreamId id) {
  Random random(seed * 1000003 + id);
  Plan plan;
  plan.request_bytes = random.OneIn(5) ? 0 : random.Size(150000);
  plan.response_bytes = random.OneIn(5) ? 0 : random.Size(150000);
  plan.request_trailers = random.OneIn(10);
  plan.response_trailers = !random.OneIn(4);
  plan.cancelled = random.OneIn(12);
  return plan;
}

class Side {
 public:
  Side(Role role, const Options& options, uint64_t seed)
      : role_(role),
        seed_(seed),
        random_(seed * 2 + (role == Role::kServer)),
        session_(role, options, pool_) {}

  Session& session() { return session_; }
  size_t open_halves() const { return halves_.size(); }

  void Open() {
    const std::vector<HeaderField> fields = {
        {":method", "POST"}, {":scheme", "http"}, {":path", "/a"}, {"shared", "value"}};
    auto half = std::make_unique<Half>();
    Stream* stream = session_.OpenStream(fields, false, half.get());
    if (stream == nullptr) return;
    ++opened;
    half->headers_sent = true;
    Start(*stream, std::move(half));
  }

  // As if these bytes had come from a socket.
  void Read(absl::string_view bytes) {
    while (!bytes.empty()) {
      const size_t size = std::min(bytes.size(), random_.OneIn(2) ? random_.Size(20000) : 20000);
      absl::string_view head = bytes.substr(0, size);
      bytes.remove_prefix(size);
      while (!head.empty()) {
        head.remove_prefix(session_.Receive(h2::AsBytes(head), absl::FromUnixSeconds(1)));
        for (const Event& event : session_.events()) Act(event);
        session_.ReleaseEvents();
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }

  // One turn: some of the calls move, those that wait for a window get theirs.
  void Turn() {
    while (Stream* stream = session_.NextWritable()) Pump(*stream, 100000);
    std::vector<StreamId> ids;
    for (const auto& [id, half] : halves_) ids.push_back(id);
    for (StreamId id : ids) {
      auto it = halves_.find(id);
      if (it == halves_.end() || random_.OneIn(3)) continue;
      Half& half = *it->second;
      Stream& stream = *streams_.at(id);
      const size_t all = half.unconsumed;
      const size_t consumed = all == 0 || random_.OneIn(2) ? all : random_.Size(all);
      half.unconsumed -= consumed;
      session_.Consume(stream, consumed);
      Pump(stream, random_.Size(30000));
    }
  }

  std::string Write() {
    std::string out;
    Bytes piece;
    size_t budget = random_.OneIn(2) ? random_.Size(100000) : SIZE_MAX;
    while (budget > 0 && session_.output().Peek(absl::MakeSpan(&piece, 1)) > 0) {
      piece = piece.first(std::min(piece.size(), budget));
      out += h2::AsString(piece);
      budget -= piece.size();
      session_.output().Consume(piece.size());
    }
    return out;
  }

  size_t opened = 0;
  size_t completed = 0;
  size_t resets = 0;

 private:
  void Start(Stream& stream, std::unique_ptr<Half> half) {
    const Plan plan = PlanOf(seed_, stream.id());
    const bool client = role_ == Role::kClient;
    half->id = stream.id();
    half->to_send = client ? plan.request_bytes : plan.response_bytes;
    half->expected = client ? plan.response_bytes : plan.request_bytes;
    half->with_trailers = client ? plan.request_trailers : plan.response_trailers;
    stream.set_user(half.get());
    streams_[stream.id()] = &stream;
    halves_[stream.id()] = std::move(half);
  }

  void Act(const Event& event) {
    if (event.stream == nullptr || event.type == EventType::kNone) return;
    Stream& stream = *event.stream;
    if (event.type == EventType::kHeaders && role_ == Role::kServer) {
      ASSERT_EQ(h2::Describe(*event.headers), ":method=POST|:scheme=http|:path=/a|shared=value");
      Start(stream, std::make_unique<Half>());
    }
    Half& half = *static_cast<Half*>(stream.user());
    switch (event.type) {
      case EventType::kHeaders:
        if (role_ == Role::kClient) {
          ASSERT_EQ(h2::Describe(*event.headers), absl::StrCat(":status=200|call=", half.id));
        }
        break;
      case EventType::kData:
        ASSERT_EQ(h2::AsString(event.data), Body(half.id, half.received, event.data.size()));
        half.received += event.data.size();
        half.unconsumed += event.data.size();
        break;
      case EventType::kTrailers:
        ASSERT_EQ(h2::Describe(*event.headers), absl::StrCat("sum=", half.expected));
        break;
      case EventType::kReset:
        ASSERT_FALSE(event.reset_by_us);
        ASSERT_EQ(event.error, ErrorCode::kCancel);
        ++resets;
        return End(stream);
      default:
        FAIL() << h2::Describe(event);
    }
    if (event.end_stream) half.ended = true;
    if (half.ended) {
      ASSERT_EQ(half.received, half.expected);
    }
    MaybeEnd(stream, half);
  }

  void Pump(Stream& stream, size_t budget) {
    Half& half = *static_cast<Half*>(stream.user());
    if (PlanOf(seed_, half.id).cancelled && role_ == Role::kClient && random_.OneIn(4)) {
      ++resets;
      session_.Reset(stream, ErrorCode::kCancel);
      return End(stream);
    }
    if (half.done_sending) return;
    if (!half.headers_sent) {
      const std::string id = absl::StrCat(half.id);
      const std::vector<HeaderField> fields = {{":status", "200"}, {"call", id}};
      session_.SendHeaders(stream, fields, false);
      half.headers_sent = true;
    }
    const size_t size = std::min(budget, half.to_send - half.sent);
    const bool last = half.sent + size == half.to_send;
    const std::string bytes = Body(half.id, half.sent, size);
    half.sent += session_.SendData(stream, h2::AsBytes(bytes), last && !half.with_trailers);
    if (half.sent < half.to_send) return;
    half.done_sending = true;
    if (half.with_trailers) {
      const std::string sum = absl::StrCat(half.to_send);
      session_.SendTrailers(stream, std::vector<HeaderField>{{"sum", sum}});
    }
    MaybeEnd(stream, half);
  }

  void MaybeEnd(Stream& stream, Half& half) {
    if (!half.done_sending || !half.ended) return;
    ASSERT_TRUE(stream.closed());
    ++completed;
    End(stream);
  }

  void End(Stream& stream) {
    const StreamId id = stream.id();
    session_.Release(stream);
    streams_.erase(id);
    halves_.erase(id);
  }

  const Role role_;
  const uint64_t seed_;
  Random random_;
  SlabPool pool_;
  Session session_;
  std::map<StreamId, Stream*> streams_;
  std::map<StreamId, std::unique_ptr<Half>> halves_;
};

Options RandomOptions(Random& random) {
  Options options;
  options.stream_window_bytes = static_cast<uint32_t>(500 + random.Size(200000));
  options.connection_window_bytes = static_cast<uint32_t>(65535 + random.Size(1000000));
  options.output_high_watermark_bytes = 1000 + random.Size(300000);
  options.max_concurrent_streams = static_cast<uint32_t>(1 + random.Below(100));
  return options;
}

class SessionSoak : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SessionSoak, ::testing::Range<uint64_t>(1, 31));

TEST_P(SessionSoak, EveryByteArrives) {
  constexpr size_t kCalls = 60;
  Random random(GetParam());
  Side client(Role::kClient, RandomOptions(random), GetParam());
  Side server(Role::kServer, RandomOptions(random), GetParam());
  std::string upwards, downwards;  // under way
  auto carry = [&random](std::string& wire, Side& from, Side& to) {
    wire += from.Write();
    const size_t size = wire.empty() || random.OneIn(2) ? wire.size() : random.Size(wire.size());
    to.Read(absl::string_view(wire).substr(0, size));
    wire.erase(0, size);
  };
  for (int step = 0; step < 2000000; ++step) {
    if (client.opened < kCalls && random.OneIn(3)) client.Open();
    client.Turn();
    carry(upwards, client, server);
    server.Turn();
    carry(downwards, server, client);
    if (HasFatalFailure()) return;
    ASSERT_FALSE(client.session().failed()) << client.session().failure_detail();
    ASSERT_FALSE(server.session().failed()) << server.session().failure_detail();
    if (client.opened == kCalls && client.open_halves() + server.open_halves() == 0) break;
  }
  EXPECT_EQ(client.completed + client.resets, kCalls);
  EXPECT_EQ(client.session().active_streams(), 0u);
  EXPECT_EQ(server.session().active_streams(), 0u);
}

}  // namespace
}  // namespace pinion::http2
