#include "tests/testing/memory_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "base/check.h"

namespace pinion::testing {
namespace {

// An edge that nothing caused comes about this seldom.
constexpr uint64_t kSpuriousOneIn = 8;

}  // namespace

Link::Link(SimWorld& world, const LinkPolicy& policy) : world_(world) {
  directions_[0].policy = policy.to_acceptor;
  directions_[1].policy = policy.to_connector;
}

absl::Duration Link::RoundTripMax() const {
  return directions_[0].policy.latency_max + directions_[1].policy.latency_max;
}

absl::Duration Link::Latency(const Direction& direction) {
  return world_.random().Between(direction.policy.latency_min, direction.policy.latency_max);
}

void Link::Take(int from, absl::Span<const absl::Span<const uint8_t>> pieces, size_t bytes) {
  Direction& direction = directions_[from];
  direction.written += bytes;
  if (direction.dead) {
    FailLater(from);
    return;
  }
  direction.held += bytes;
  std::string joined;
  joined.reserve(bytes);
  for (size_t i = 0; joined.size() < bytes; ++i) {
    const size_t part = std::min(pieces[i].size(), bytes - joined.size());
    joined.append(reinterpret_cast<const char*>(pieces[i].data()), part);
  }
  world_.Fold(joined);  // who says the same in other bytes does something else
  TakeSegments(from, std::move(joined));
}

void Link::TakeSegments(int from, std::string bytes) {
  Direction& direction = directions_[from];
  uint64_t position = direction.written - bytes.size();
  const uint64_t cut_at = std::max(direction.policy.cut_at_byte, position);
  const bool cut = cut_at < direction.written;
  if (cut) bytes.resize(cut_at - position);
  for (size_t sent = 0; sent < bytes.size();) {
    const bool dribble = position < direction.policy.dribble_bytes;
    const size_t size = std::min(
        bytes.size() - sent,
        dribble
            ? world_.random().Between(uint64_t{1}, uint64_t{3})
            : world_.random().Between(uint64_t{1}, uint64_t{direction.policy.segment_bytes_max}));
    if (position >= direction.policy.stall_at_byte) {
      direction.last_arrival = world_.now() + direction.policy.stall;
      direction.policy.stall_at_byte = UINT64_MAX;
    }
    Send(from, {Segment::Kind::kBytes, bytes.substr(sent, size)});
    sent += size;
    position += size;
  }
  if (cut) Send(from, {Segment::Kind::kCut, ""});
}

void Link::Send(int from, Segment segment) {
  Direction& direction = directions_[from];
  direction.last_arrival = std::max(direction.last_arrival, world_.now() + Latency(direction));
  direction.under_way.push_back(std::move(segment));
  world_.At(direction.last_arrival, [link = shared_from_this(), from] { link->Arrive(from); });
}

void Link::Arrive(int from) {
  Direction& direction = directions_[from];
  if (direction.under_way.empty()) return;  // lost since it was sent
  const Segment segment = std::move(direction.under_way.front());
  direction.under_way.pop_front();
  if (segment.kind == Segment::Kind::kCut) {
    Sever(1 - from, direction.policy.cut);
    return;
  }
  MemoryStream* reader = ends_[1 - from];
  if (reader == nullptr) {
    direction.held -= segment.bytes.size();
    direction.dead = true;
    if (segment.kind == Segment::Kind::kBytes) FailLater(from);
    return;
  }
  if (segment.kind == Segment::Kind::kEnd) {
    direction.end_arrived = true;
  } else {
    direction.arrived += segment.bytes;
  }
  if (world_.random().OneIn(kSpuriousOneIn)) reader->writable_ = true;
  reader->MarkReadable();
}

void Link::Unblock(int from) {
  Direction& direction = directions_[from];
  MemoryStream* writer = ends_[from];
  if (!direction.writer_blocked || writer == nullptr) return;
  // As a kernel does it: not for every byte of room.
  if (direction.policy.capacity_bytes - direction.held <
      (direction.policy.capacity_bytes + 2) / 3) {
    return;
  }
  direction.writer_blocked = false;
  if (world_.random().OneIn(kSpuriousOneIn)) writer->readable_ = true;
  writer->MarkWritable();
}

void Link::Close(int end) {
  ends_[end] = nullptr;
  Direction& incoming = directions_[1 - end];
  Direction& outgoing = directions_[end];
  if (unread(incoming) > 0) {
    broken_ = true;
    incoming.dead = true;
    // The reset may overtake what was sent before it.
    if (world_.random().OneIn(2)) Drop(end);
    outgoing.dead = true;
    FailLater(1 - end);
    return;
  }
  if (!outgoing.end_sent && !outgoing.dead) Send(end, {Segment::Kind::kEnd, ""});
  outgoing.end_sent = true;
}

void Link::Cut(CutKind how) { Sever(world_.random().OneIn(2) ? 1 : 0, how); }

// End `first` hears of it now, the other one a moment later.
void Link::Sever(int first, CutKind how) {
  if (broken_) return;
  broken_ = true;
  Drop(0);
  Drop(1);
  // Nobody can end cleanly what was never begun.
  if (ends_[1] == nullptr) how = CutKind::kReset;
  if (how == CutKind::kReset) {
    Fail(first);
    FailLater(1 - first);
    return;
  }
  for (const int from : {0, 1}) {
    world_.After(from == 1 - first ? absl::ZeroDuration() : Latency(directions_[from]),
                 [link = shared_from_this(), from] {
                   link->directions_[from].end_arrived = true;
                   if (link->ends_[1 - from] != nullptr) link->ends_[1 - from]->MarkReadable();
                 });
  }
}

void Link::Drop(int from) {
  Direction& direction = directions_[from];
  for (const Segment& segment : direction.under_way) direction.held -= segment.bytes.size();
  direction.under_way.clear();
  direction.dead = true;
}

void Link::FailLater(int end) {
  world_.After(Latency(directions_[1 - end]),
               [link = shared_from_this(), end] { link->Fail(end); });
}

void Link::Fail(int end) {
  broken_ = true;
  if (ends_[end] == nullptr) return;
  Direction& incoming = directions_[1 - end];
  if (world_.random().OneIn(2)) {
    incoming.held -= unread(incoming);
    incoming.arrived.resize(incoming.arrived_read);
  }
  ends_[end]->Fail("Connection reset by peer");
}

MemoryStream::MemoryStream(SimLoop& loop, std::shared_ptr<Link> link, int end, State state,
                           std::string peer)
    : loop_(loop), link_(std::move(link)), end_(end), state_(state), peer_(std::move(peer)) {
  link_->ends_[end_] = this;
}

MemoryStream::~MemoryStream() {
  loop_.Forget(*this);
  link_->Close(end_);
}

MemoryStream::Pair MemoryStream::Connected(SimLoop& connector, SimLoop& acceptor,
                                           const LinkPolicy& policy) {
  auto link = std::make_shared<Link>(connector.world(), policy);
  Pair pair;
  pair.connector = absl::WrapUnique(new MemoryStream(connector, link, 0, State::kOpen, "acceptor"));
  pair.acceptor = absl::WrapUnique(new MemoryStream(acceptor, link, 1, State::kOpen, "connector"));
  pair.link = std::move(link);
  return pair;
}

std::unique_ptr<MemoryStream> MemoryStream::Connecting(SimLoop& loop, std::shared_ptr<Link> link,
                                                       std::string peer) {
  constexpr State kState = State::kConnecting;
  return absl::WrapUnique(new MemoryStream(loop, std::move(link), 0, kState, std::move(peer)));
}

std::unique_ptr<MemoryStream> MemoryStream::Accept(SimLoop& loop, std::shared_ptr<Link> link,
                                                   std::string peer) {
  MemoryStream* connector = link->ends_[0];
  if (connector == nullptr || connector->state_ != State::kConnecting) return nullptr;
  connector->state_ = State::kOpen;
  connector->MarkWritable();
  auto acceptor =
      absl::WrapUnique(new MemoryStream(loop, std::move(link), 1, State::kOpen, std::move(peer)));
  acceptor->writable_ = loop.world().random().OneIn(2);
  return acceptor;
}

void MemoryStream::Refuse(const std::shared_ptr<Link>& link) {
  if (link->ends_[0] != nullptr) link->ends_[0]->Fail("Connection refused");
}

std::unique_ptr<MemoryStream> MemoryStream::Refused(SimLoop& loop, std::string peer,
                                                    absl::Duration delay) {
  auto link = std::make_shared<Link>(loop.world(), LinkPolicy());
  auto stream = Connecting(loop, link, std::move(peer));
  loop.world().After(delay, [link] { Refuse(link); });
  return stream;
}

void MemoryStream::SetObserver(Observer* observer) {
  observer_ = observer;
  if (readable_ || writable_) loop_.Wake(*this);
}

net::IoResult MemoryStream::Read(absl::Span<uint8_t> into) {
  Link::Direction& incoming = link_->directions_[1 - end_];
  const size_t count = std::min(into.size(), link_->unread(incoming));
  if (count == 0) {
    if (state_ == State::kFailed) return {net::IoState::kFailed};
    if (incoming.end_arrived && !into.empty()) return {net::IoState::kEof};
    return {net::IoState::kBlocked};
  }
  std::memcpy(into.data(), incoming.arrived.data() + incoming.arrived_read, count);
  incoming.arrived_read += count;
  incoming.held -= count;
  if (link_->unread(incoming) == 0) {
    incoming.arrived.clear();
    incoming.arrived_read = 0;
  }
  if (incoming.writer_blocked) {
    loop_.world().After(link_->Latency(incoming),
                        [link = link_, from = 1 - end_] { link->Unblock(from); });
  }
  // The end was announced with the last edge; no other will come for it.
  if (count < into.size() && (incoming.end_arrived || state_ == State::kFailed)) WakeAgain();
  return {net::IoState::kOk, count};
}

net::IoResult MemoryStream::Write(absl::Span<const absl::Span<const uint8_t>> pieces) {
  Link::Direction& outgoing = link_->directions_[end_];
  if (state_ == State::kOpen && outgoing.end_sent) Fail("Broken pipe");
  if (state_ == State::kFailed) return {net::IoState::kFailed};
  if (state_ == State::kConnecting || outgoing.writer_blocked) return {net::IoState::kBlocked};
  size_t offered = 0;
  for (size_t i = 0; i < std::min(pieces.size(), net::kWritePiecesMax); ++i) {
    offered += pieces[i].size();
  }
  const size_t room = outgoing.policy.capacity_bytes - outgoing.held;
  size_t taken = std::min(offered, room);
  if (taken > 0 && outgoing.policy.write_bytes_max != SIZE_MAX) {
    taken = std::min<size_t>(taken, loop_.world().random().Between(
                                        uint64_t{1}, uint64_t{outgoing.policy.write_bytes_max}));
  }
  if (taken < offered) {
    outgoing.writer_blocked = true;
    loop_.world().After(link_->Latency(outgoing),
                        [link = link_, from = end_] { link->Unblock(from); });
  }
  if (taken == 0) return {offered == 0 ? net::IoState::kOk : net::IoState::kBlocked};
  link_->Take(end_, pieces, taken);
  return {net::IoState::kOk, taken};
}

void MemoryStream::WakeAgain() { MarkReadable(); }

absl::Duration MemoryStream::RoundTrip() const {
  return link_ == nullptr ? absl::ZeroDuration() : link_->RoundTripMax();
}

void MemoryStream::FinishSending() {
  Link::Direction& outgoing = link_->directions_[end_];
  if (state_ != State::kOpen || outgoing.end_sent) return;
  outgoing.end_sent = true;
  if (!outgoing.dead) link_->Send(end_, {Link::Segment::Kind::kEnd, ""});
}

void MemoryStream::OnWake() {
  if (observer_ == nullptr) return;
  const bool writable = std::exchange(writable_, false);
  const bool readable = std::exchange(readable_, false);
  // Reading may destroy this stream, so it comes last.
  if (writable) observer_->OnWritable();
  if (readable) observer_->OnReadable();
}

void MemoryStream::MarkReadable() {
  readable_ = true;
  loop_.Wake(*this);
}

void MemoryStream::MarkWritable() {
  writable_ = true;
  loop_.Wake(*this);
}

void MemoryStream::Fail(std::string error) {
  if (state_ == State::kFailed) return;
  state_ = State::kFailed;
  error_ = std::move(error);
  readable_ = writable_ = true;
  loop_.Wake(*this);
}

}  // namespace pinion::testing
