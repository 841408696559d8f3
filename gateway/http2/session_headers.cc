// What each header block means (RFC 9113 sections 4.3, 6.2, 6.10 and 8). A block is always decoded
// to its end, whatever becomes of it: the table is shared with the blocks after it.
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "gateway/http2/header_validator.h"
#include "gateway/http2/session_impl.h"

namespace pinion::http2 {
namespace {

// A gRPC client shows its caller the status and the message; another client gets HTTP's own word
// for it.
constexpr std::array<HeaderField, 4> kTooLargeForGrpc = {{
    {":status", "200"},
    {"content-type", "application/grpc"},
    {"grpc-status", "8"},
    {"grpc-message", "the call's metadata is larger than the gateway allows"},
}};
constexpr std::array<HeaderField, 2> kTooLarge = {{{":status", "431"}, {"content-length", "0"}}};

bool LooksLikeGrpc(const HeaderBlock& fields) {
  const HeaderField* type = fields.Find(HeaderName::kContentType);
  // Without one it was not among the fields that fitted; nearly all that come here are gRPC calls.
  return type == nullptr || absl::StartsWith(type->value, "application/grpc");
}

}  // namespace

void Session::Impl::BeginHeaders() {
  const FrameHeader& header = reader_.header();
  const StreamId id = header.stream_id;
  if (id == 0) return Fail(ErrorCode::kProtocolError, "HEADERS on stream 0");
  block_.kind = BlockKind::kDiscarded;
  block_.id = id;
  block_.end_stream = header.has(flags::kEndStream);
  block_.continuations = 0;
  block_.since = now_;
  block_.progress = {};
  const bool depends_on_itself = reader_.has_dependency() && reader_.dependency() == id;
  StreamState* stream = table_.Find(id);
  if (stream != nullptr) {
    const bool trailers = stream->headers_received;
    if (stream->remote_closed()) return StreamError(*stream, ErrorCode::kStreamClosed);
    if (depends_on_itself || (trailers && !block_.end_stream))
      return StreamError(*stream, ErrorCode::kProtocolError);
    block_.kind = trailers ? BlockKind::kTrailers : BlockKind::kResponse;
    block_.stream = stream;
  } else if (!IsIdle(id)) {
    return OnFrameForClosed(id, /*headers=*/true);
  } else if (role_ == Role::kClient || id % 2 == 0) {
    return Fail(ErrorCode::kProtocolError, "HEADERS on a stream that only we could open");
  } else {
    peer_highest_id_ = id;
    if (depends_on_itself) return StreamError(id, ErrorCode::kProtocolError);
    BeginRequest(id);
  }
  if (block_.kind != BlockKind::kDiscarded) block_.fields = pool_.header_blocks().Take();
}

void Session::Impl::BeginRequest(StreamId id) {
  const bool full = table_.size() >= options_.max_concurrent_streams;
  if (!full && !goaway_sent_) {
    block_.kind = BlockKind::kRequest;
    return;
  }
  if (full) Count(Limit::kConcurrentStreams);
  // Only a peer that knows our limit is at fault.
  if (full && settings_acked_) return StreamError(id, ErrorCode::kRefusedStream);
  send_.RstStream(id, ErrorCode::kRefusedStream);
  closed_.Add(id, How::kResetByUs);
}

void Session::Impl::BeginContinuation() {
  if (block_.kind == BlockKind::kNone)
    return Fail(ErrorCode::kProtocolError, "CONTINUATION without HEADERS");
  if (++block_.continuations > limits::kMaxContinuations) {
    FailLimit(Limit::kContinuations, "too many CONTINUATION frames");
  }
}

void Session::Impl::OnBlockFragment() {
  const bool final = reader_.frame_done() && reader_.header().has(flags::kEndHeaders);
  const HeaderListLimits limits = {options_.max_header_list_bytes, options_.max_header_fields};
  HeaderBlock* into = block_.kind == BlockKind::kDiscarded ? nullptr : block_.fields.get();
  const size_t bytes_before = block_.progress.bytes;
  if (!decoder_.Decode(reader_.payload(), final, limits, block_.progress, into)) {
    if (block_.progress.bytes < limits.bytes_end())
      return Fail(ErrorCode::kCompressionError, "invalid HPACK");
    return FailLimit(Limit::kHeaderList, "a header list far beyond what it may be");
  }
  batch_decoded_bytes_ += block_.progress.bytes - bytes_before;
  if (final) OnBlockEnd();
}

void Session::Impl::OnBlockEnd() {
  switch (block_.progress.too_large ? BlockKind::kNone : block_.kind) {
    case BlockKind::kRequest:
      OnRequest();
      break;
    case BlockKind::kResponse:
      OnResponse(*block_.stream);
      break;
    case BlockKind::kTrailers:
      OnTrailers(*block_.stream);
      break;
    case BlockKind::kNone:
      OnBlockTooLarge();
      break;
    case BlockKind::kDiscarded:
      break;
  }
  DiscardBlock();
}

void Session::Impl::DiscardBlock() {
  block_.kind = BlockKind::kNone;
  block_.stream = nullptr;
  if (block_.fields == nullptr) return;
  block_.fields->Clear();
  pool_.header_blocks().Put(std::move(block_.fields));
}

void Session::Impl::OnRequest() {
  MessageFacts facts;
  if (!RequestFault(block_.fields->fields(), facts).empty())
    return StreamError(block_.id, ErrorCode::kProtocolError);
  if (block_.end_stream && facts.content_length > 0)
    return StreamError(block_.id, ErrorCode::kProtocolError);
  StreamState* stream = NewStream(block_.id);
  stream->headers_received = true;
  stream->expected_body_bytes = facts.content_length;
  stream->remote_closed_ = block_.end_stream;
  Event& event = AddEvent(EventType::kHeaders, stream);
  event.end_stream = block_.end_stream;
  event.headers = block_.fields.get();
  batch_->blocks.push_back(std::move(block_.fields));
}

void Session::Impl::OnResponse(StreamState& stream) {
  MessageFacts facts;
  if (!ResponseFault(block_.fields->fields(), facts).empty())
    return StreamError(stream, ErrorCode::kProtocolError);
  const bool interim = facts.status < 200;
  if (interim) {
    if (block_.end_stream) return StreamError(stream, ErrorCode::kProtocolError);
    if (!guards_.Interim(now_))
      return FailLimit(Limit::kInterimResponses, "too many 1xx responses");
  } else {
    const bool bodiless = stream.is_head || facts.status == 204 || facts.status == 304;
    stream.headers_received = true;
    stream.expected_body_bytes = bodiless ? 0 : facts.content_length;
    if (block_.end_stream && !EndRemote(stream)) return;
  }
  Event& event = AddEvent(interim ? EventType::kInterim : EventType::kHeaders, &stream);
  event.end_stream = block_.end_stream;
  event.headers = block_.fields.get();
  batch_->blocks.push_back(std::move(block_.fields));
}

void Session::Impl::OnTrailers(StreamState& stream) {
  if (!TrailersFault(block_.fields->fields()).empty())
    return StreamError(stream, ErrorCode::kProtocolError);
  if (!EndRemote(stream)) return;
  Event& event = AddEvent(EventType::kTrailers, &stream);
  event.end_stream = true;
  event.headers = block_.fields.get();
  batch_->blocks.push_back(std::move(block_.fields));
}

void Session::Impl::OnBlockTooLarge() {
  if (block_.kind == BlockKind::kDiscarded) return;
  Count(Limit::kHeaderList);
  if (block_.kind != BlockKind::kRequest)
    return StreamError(*block_.stream, ErrorCode::kEnhanceYourCalm);
  if (LooksLikeGrpc(*block_.fields)) {
    send_.HeaderBlockFrames(block_.id, kTooLargeForGrpc, /*end_stream=*/true);
  } else {
    send_.HeaderBlockFrames(block_.id, kTooLarge, /*end_stream=*/true);
  }
  if (!block_.end_stream) return StreamError(block_.id, ErrorCode::kNoError);
  closed_.Add(block_.id, How::kClean);
  if (!guards_.ResetByUs(now_, /*active=*/false))
    FailLimit(Limit::kFaultyStreams, "too many faulty streams");
}

}  // namespace pinion::http2
