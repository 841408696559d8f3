#include "gateway/proxy/body_pipe.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace pinion::proxy {
namespace {

http2::Bytes AsBytes(const std::string& text, size_t begin) {
  return http2::Bytes(reinterpret_cast<const uint8_t*>(text.data()) + begin, text.size() - begin);
}

// Memory worth keeping for the next call that this object serves.
constexpr size_t kKeptCapacityMax = 4096;

// By swapping, since the assignment of an empty string keeps the memory of the old one.
void Empty(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptCapacityMax) std::string().swap(text);
}

}  // namespace

void BodyPipe::Reset() {
  DropWaiting();
  ForgetReplay();
  trailers_.reset();
  source_ = sink_ = StreamEnd();
  forwarded_bytes_ = 0;
  has_trailers_ = ended_ = done_ = false;
}

void BodyPipe::SetSink(StreamEnd sink) {
  sink_ = sink;
  Drain();
}

void BodyPipe::Push(http2::Bytes bytes, bool end) {
  ended_ = ended_ || end;
  if (bytes.empty() && !end) return;
  if (waiting_bytes() > 0 || !sink_) {
    Buffer(bytes);
    return;
  }
  const size_t taken = Offer(bytes, ended_);
  bytes.remove_prefix(taken);
  if (!bytes.empty()) Buffer(bytes);
}

void BodyPipe::PushTrailers(http2::HeaderBlock& trailers) {
  ended_ = true;
  has_trailers_ = true;
  if (sink_ && waiting_bytes() == 0 && !keeping_) return SendTrailers(trailers);
  trailers_ = std::make_unique<http2::HeaderBlock>();
  std::swap(*trailers_, trailers);
  Drain();
}

void BodyPipe::OnSinkWritable() { Drain(); }

void BodyPipe::DropWaiting() {
  Empty(buffer_);
  begin_ = 0;
  credited_ = 0;
}

void BodyPipe::ForgetReplay() {
  keeping_ = false;
  Empty(kept_);
}

void BodyPipe::Rewind() {
  CHECK(keeping_);
  sink_ = StreamEnd();
  done_ = false;
  forwarded_bytes_ = 0;
  credited_ += kept_.size();
  buffer_.replace(0, begin_, kept_);
  begin_ = 0;
  kept_.clear();
}

void BodyPipe::Drain() {
  if (!sink_ || done_) return;
  if (waiting_bytes() > 0) {
    const size_t taken = Offer(AsBytes(buffer_, begin_), ended_ && !has_trailers_);
    begin_ += taken;
    if (waiting_bytes() > 0) return;
    Empty(buffer_);
    begin_ = 0;
  } else if (ended_ && !has_trailers_) {
    Offer({}, true);
  }
  if (has_trailers_ && !done_) SendTrailers(*trailers_);
}

void BodyPipe::SendTrailers(const http2::HeaderBlock& trailers) {
  done_ = true;
  sink_.connection->session().SendTrailers(*sink_.stream, trailers.fields());
}

// Returns how much the sink took; its source's window gets as much back.
size_t BodyPipe::Offer(http2::Bytes bytes, bool end) {
  const bool last = end && !has_trailers_;
  const size_t taken = sink_.connection->session().SendData(*sink_.stream, bytes, last);
  if (last && taken == bytes.size()) done_ = true;
  forwarded_bytes_ += taken;
  if (keeping_) Keep(bytes.first(taken));
  Credit(taken);
  return taken;
}

void BodyPipe::Keep(http2::Bytes sent) {
  if (kept_.size() + sent.size() > kept_bytes_max_) return ForgetReplay();
  kept_.append(reinterpret_cast<const char*>(sent.data()), sent.size());
}

void BodyPipe::Credit(size_t bytes) {
  const size_t already = std::min(bytes, credited_);
  credited_ -= already;
  if (bytes > already && source_)
    source_.connection->session().Consume(*source_.stream, bytes - already);
}

void BodyPipe::Buffer(http2::Bytes bytes) {
  // The front is given back when it is most of the memory, so that each byte moves at most once on
  // average.
  if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace pinion::proxy
