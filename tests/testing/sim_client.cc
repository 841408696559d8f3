#include "tests/testing/sim_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/testing/body_flow.h"

namespace pinion::testing {
namespace {

int NumberOf(const Metadata& metadata, std::string_view name) {
  const std::string* value = FindField(metadata, name);
  int number;
  return value != nullptr && absl::SimpleAtoi(*value, &number) ? number : -1;
}

}  // namespace

class SimClient::Call final : public net::Deferred {
 public:
  Call(SimClient& client, CallBook::Entry& entry)
      : client_(client),
        plan_(entry.plan),
        record_(entry.record),
        entry_(entry),
        cancel_(
            client.loop_.timers(), [](void* self) { static_cast<Call*>(self)->Cancel(); }, this),
        sender_(client.loop_, client.connection_, [this] { record_.request_ended = true; }),
        reader_(client.loop_, client.connection_, plan_.response_reading) {}

  void Open();
  void OnEvent(const http2::Event& event);
  void OnWritable() {
    sender_.Pump();
    record_.request_bytes_sent = sender_.sent();
  }
  CallBook::Entry& entry() { return entry_; }

 private:
  void Cancel() { End(CallRecord::End::kCancelled, http2::ErrorCode::kCancel); }
  void OnHeaders(const http2::HeaderBlock& block, bool end_stream);
  void OnTrailers(const http2::HeaderBlock& block);
  // An error in JSON, which no plan has.
  bool AnsweredByGateway() const;
  void End(CallRecord::End end, http2::ErrorCode code = http2::ErrorCode::kNoError);

  SimClient& client_;
  const CallPlan& plan_;
  CallRecord& record_;
  CallBook::Entry& entry_;
  http2::Stream* stream_ = nullptr;
  net::Timer cancel_;
  BodySender sender_;
  BodyReader reader_;
};

void SimClient::Call::Open() {
  record_.started = client_.loop_.now();
  const std::string id = absl::StrCat(plan_.id);
  std::vector<http2::HeaderField> fields = {{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", plan_.path},
                                            {":authority", "sim.example"}};
  if (plan_.grpc) {
    fields.push_back({"te", "trailers"});
    fields.push_back({"content-type", "application/grpc"});
  } else {
    fields.push_back({"content-type", "application/json"});
  }
  if (!plan_.timeout.empty()) fields.push_back({"grpc-timeout", plan_.timeout});
  fields.push_back({{kCallHeader.data(), kCallHeader.size()}, id});
  for (const auto& [name, value] : plan_.metadata) fields.push_back({name, value});
  const bool headers_only =
      plan_.request.bytes.empty() && plan_.request.pauses.empty() && !plan_.request.end_alone;
  stream_ = client_.connection_.session().OpenStream(fields, headers_only, this);
  CHECK(stream_ != nullptr);
  if (plan_.cancel_after.has_value()) cancel_.Arm(client_.loop_.now() + *plan_.cancel_after);
  if (headers_only) {
    record_.request_ended = true;
  } else {
    sender_.Start(*stream_, plan_.request, true);
    record_.request_bytes_sent = sender_.sent();
  }
}

void SimClient::Call::OnEvent(const http2::Event& event) {
  switch (event.type) {
    case http2::EventType::kHeaders:
      return OnHeaders(*event.headers, event.end_stream);
    case http2::EventType::kData:
      if (!reader_.Receive(*stream_, event.data, record_.body,
                           plan_.response.kind == ResponsePlan::Kind::kEcho
                               ? plan_.request.bytes
                               : plan_.response.body.bytes) &&
          !AnsweredByGateway()) {
        record_.body_differs = true;
      }
      if (event.end_stream) End(CallRecord::End::kStatus);
      return;
    case http2::EventType::kTrailers:
      return OnTrailers(*event.headers);
    case http2::EventType::kReset:
      record_.reset_code = event.error;
      return End(event.reset_by_us ? CallRecord::End::kConnectionLost : CallRecord::End::kReset);
    default:
      return;
  }
}

bool SimClient::Call::AnsweredByGateway() const {
  const std::string* type = FindField(record_.headers, "content-type");
  return !plan_.grpc && type != nullptr && *type == "application/json";
}

void SimClient::Call::OnHeaders(const http2::HeaderBlock& block, bool end_stream) {
  AppendFields(block.fields(), record_.headers);
  record_.http_status = NumberOf(record_.headers, ":status");
  if (!end_stream) return;
  record_.trailers_only = true;
  OnTrailers(block);
}

void SimClient::Call::OnTrailers(const http2::HeaderBlock& block) {
  AppendFields(block.fields(), record_.trailers);
  record_.grpc_status = NumberOf(record_.trailers, "grpc-status");
  const std::string* message = FindField(record_.trailers, "grpc-message");
  if (message != nullptr) record_.grpc_message = *message;
  End(CallRecord::End::kStatus);
}

void SimClient::Call::End(CallRecord::End end, http2::ErrorCode code) {
  ++record_.ends;
  record_.end = end;
  record_.ended = client_.loop_.now();
  record_.request_bytes_sent = sender_.sent();
  cancel_.Cancel();
  sender_.Stop();
  reader_.Stop();
  if (stream_ != nullptr) {
    stream_->set_user(nullptr);
    client_.connection_.session().Release(*stream_, code);
    stream_ = nullptr;
  }
  client_.Remove(*this);
}

SimClient::SimClient(transport::Shared& shared, std::unique_ptr<net::ByteStream> stream,
                     const http2::Options& options, std::function<void(CallBook::Entry&)> on_end)
    : loop_(shared.loop),
      on_end_(std::move(on_end)),
      connection_(shared, std::move(stream), http2::Role::kClient, options, *this) {}

SimClient::~SimClient() = default;

void SimClient::Start(CallBook::Entry& entry) {
  waiting_.push_back(&entry);
  if (closed() || going_away_) return EndWaiting("the connection is over");
  StartWaiting();
}

void SimClient::Close() {
  going_away_ = true;
  EndWaiting("closed");
  if (!closed()) connection_.Close("closed by the client");
}

void SimClient::StartWaiting() {
  if (closed()) return;
  // As gRPC clients do: nothing before the server's SETTINGS.
  while (!waiting_.empty() && session().established() && session().CanOpenStream()) {
    CallBook::Entry& entry = *waiting_.front();
    waiting_.pop_front();
    calls_.push_back(std::make_unique<Call>(*this, entry));
    calls_.back()->Open();
  }
}

void SimClient::EndWaiting(std::string_view why) {
  for (CallBook::Entry* entry : std::exchange(waiting_, {})) {
    entry->record.detail = std::string(why);
    entry->record.end = CallRecord::End::kConnectionLost;
    ++entry->record.ends;
    entry->record.started = entry->record.ended = loop_.now();
    on_end_(*entry);
  }
}

void SimClient::Remove(Call& call) {
  const auto place = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& each) { return each.get() == &call; });
  CHECK(place != calls_.end());
  // Its own callbacks are still on the stack.
  loop_.DeleteLater(std::move(*place));
  calls_.erase(place);
  on_end_(call.entry());
  StartWaiting();
}

void SimClient::OnEvent(const http2::Event& event) {
  if (event.stream != nullptr) {
    auto* call = static_cast<Call*>(event.stream->user());
    // Null: it ended earlier in this batch of events.
    if (call != nullptr) call->OnEvent(event);
    return;
  }
  if (event.type == http2::EventType::kGoAway) {
    going_away_ = true;
    EndWaiting("GOAWAY");
  }
  StartWaiting();
}

void SimClient::OnWritable(http2::Stream& stream) {
  static_cast<Call*>(stream.user())->OnWritable();
}

void SimClient::OnClosed(absl::string_view why) {
  going_away_ = true;
  EndWaiting(std::string_view(why.data(), why.size()));
}

}  // namespace pinion::testing
