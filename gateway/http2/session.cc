#include "gateway/http2/session.h"

#include "base/check.h"
#include "gateway/http2/session_impl.h"

namespace pinion::http2 {
namespace {

StreamState& State(Stream& stream) { return static_cast<StreamState&>(stream); }

}  // namespace

Session::Session(Role role, const Options& options, SlabPool& pool, LimitCounters* limits)
    : impl_(std::make_unique<Impl>(role, options, pool, limits)) {}

Session::~Session() = default;

size_t Session::Receive(Bytes bytes, absl::Time now) { return impl_->Receive(bytes, now); }

absl::Span<const Event> Session::events() const { return impl_->events(); }

void Session::ReleaseEvents() { impl_->ReleaseEvents(); }

Stream* Session::OpenStream(absl::Span<const HeaderField> fields, bool end_stream, void* user) {
  return impl_->OpenStream(fields, end_stream, user);
}

bool Session::CanOpenStream() const { return impl_->CanOpenStream(); }

void Session::SendHeaders(Stream& stream, absl::Span<const HeaderField> fields, bool end_stream) {
  impl_->SendHeaders(State(stream), fields, end_stream);
}

size_t Session::SendData(Stream& stream, Bytes bytes, bool end_stream) {
  return impl_->SendData(State(stream), bytes, end_stream);
}

void Session::SendTrailers(Stream& stream, absl::Span<const HeaderField> fields) {
  impl_->SendHeaders(State(stream), fields, /*end_stream=*/true);
}

void Session::Reset(Stream& stream, ErrorCode code) { impl_->Reset(State(stream), code); }

void Session::Consume(Stream& stream, size_t bytes) { impl_->Consume(State(stream), bytes); }

void Session::SetRoundTrip(absl::Duration round_trip) { impl_->SetRoundTrip(round_trip); }

void Session::Release(Stream& stream, ErrorCode code) { impl_->Release(State(stream), code); }

Stream* Session::NextWritable() { return impl_->NextWritable(); }

size_t Session::active_streams() const { return impl_->active_streams(); }

void Session::Ping(uint64_t opaque) { impl_->Ping(opaque); }

void Session::GoAwayNotice() { impl_->GoAwayNotice(); }

void Session::GoAwayFinal(ErrorCode code, absl::string_view debug) {
  impl_->GoAwayFinal(code, debug);
}

void Session::Abandon(absl::string_view why) { impl_->Abandon(why); }

bool Session::going_away() const { return impl_->going_away(); }

bool Session::failed() const { return impl_->failed(); }

ErrorCode Session::failure() const { return impl_->failure(); }

absl::string_view Session::failure_detail() const { return impl_->failure_detail(); }

uint32_t Session::peer_max_concurrent_streams() const {
  return impl_->peer_max_concurrent_streams();
}

uint32_t Session::peer_max_header_list_bytes() const { return impl_->peer_max_header_list_bytes(); }

StreamId Session::last_peer_stream_id() const { return impl_->last_peer_stream_id(); }

bool Session::established() const { return impl_->established(); }

bool Session::send_window_open() const { return impl_->send_window_open(); }

absl::Time Session::header_block_since() const { return impl_->header_block_since(); }

OutputBuffer& Session::output() { return impl_->output(); }

}  // namespace pinion::http2
