// Two connected streams in memory that keep net::ByteStream's contract to the letter and are as
// unfriendly as it allows: short writes, segments of any size at any time, edges only once,
// spurious edges, small buffers, cuts. What happens is decided by a LinkPolicy and the world's
// seed. Each end belongs to its loop; all in one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "gateway/net/byte_stream.h"
#include "tests/testing/link_policy.h"
#include "tests/testing/sim_loop.h"

namespace pinion::testing {

class MemoryStream;

// What two ends share: the bytes under way. Lives as long as an end, a byte under way, or a test
// holds it.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  Link(SimWorld& world, const LinkPolicy& policy);

  // Breaks the connection now.
  void Cut(CutKind how);

  absl::Duration RoundTripMax() const;

  // It was cut, or reset because one end closed with unread bytes.
  bool broken() const { return broken_; }

  // Bytes that Write() took at the connector's (0) or the acceptor's (1) end.
  uint64_t written_bytes(int end) const { return directions_[end].written; }

 private:
  friend class MemoryStream;

  struct Segment {
    enum class Kind : uint8_t { kBytes, kEnd, kCut };
    Kind kind;
    std::string bytes;
  };

  // From end i to end 1-i.
  struct Direction {
    DirectionPolicy policy;
    std::deque<Segment> under_way;
    absl::Time last_arrival = absl::InfinitePast();
    uint64_t written = 0;
    size_t held = 0;  // under way, or arrived and not read
    std::string arrived;
    size_t arrived_read = 0;      // prefix of `arrived` that was read
    bool writer_blocked = false;  // the writer waits for an edge
    bool end_sent = false;
    bool end_arrived = false;
    bool dead = false;  // swallows what is written
  };

  size_t unread(const Direction& direction) const {
    return direction.arrived.size() - direction.arrived_read;
  }
  absl::Duration Latency(const Direction& direction);
  // Takes at most `bytes` bytes of the pieces.
  void Take(int from, absl::Span<const absl::Span<const uint8_t>> pieces, size_t bytes);
  void TakeSegments(int from, std::string bytes);
  void Send(int from, Segment segment);
  void Arrive(int from);
  void Unblock(int from);
  void Close(int end);
  void Sever(int first, CutKind how);
  void Drop(int from);
  void FailLater(int end);
  void Fail(int end);

  SimWorld& world_;
  Direction directions_[2];
  MemoryStream* ends_[2] = {nullptr, nullptr};
  bool broken_ = false;
};

class MemoryStream final : public net::ByteStream, private Wakeable {
 public:
  struct Pair {
    std::unique_ptr<MemoryStream> connector;
    std::unique_ptr<MemoryStream> acceptor;
    std::shared_ptr<Link> link;
  };
  // Two ends that are connected already.
  static Pair Connected(SimLoop& connector, SimLoop& acceptor, const LinkPolicy& policy);

  // An end still connecting, for SimNetwork, which calls Accept() or Refuse() later.
  static std::unique_ptr<MemoryStream> Connecting(SimLoop& loop, std::shared_ptr<Link> link,
                                                  std::string peer);
  // The other end of `link`, whose connector hears that it is connected. Null: the connector has
  // gone meanwhile.
  static std::unique_ptr<MemoryStream> Accept(SimLoop& loop, std::shared_ptr<Link> link,
                                              std::string peer);
  static void Refuse(const std::shared_ptr<Link>& link);

  // A stream that fails after `delay`.
  static std::unique_ptr<MemoryStream> Refused(SimLoop& loop, std::string peer,
                                               absl::Duration delay);

  ~MemoryStream() override;

  void SetObserver(Observer* observer) override;
  net::IoResult Read(absl::Span<uint8_t> into) override;
  net::IoResult Write(absl::Span<const absl::Span<const uint8_t>> pieces) override;
  void WakeAgain() override;
  void FinishSending() override;
  // What a kernel would measure on a bad day.
  absl::Duration RoundTrip() const override;
  std::string error() const override { return error_; }
  const std::string& peer() const override { return peer_; }

 private:
  friend class Link;
  enum class State : uint8_t { kConnecting, kOpen, kFailed };

  MemoryStream(SimLoop& loop, std::shared_ptr<Link> link, int end, State state, std::string peer);

  void OnWake() override;
  void MarkReadable();
  void MarkWritable();
  void Fail(std::string error);

  SimLoop& loop_;
  const std::shared_ptr<Link> link_;
  const int end_;
  State state_;
  const std::string peer_;
  std::string error_;
  Observer* observer_ = nullptr;
  bool readable_ = false;  // edges that the observer has not heard
  bool writable_ = false;
};

}  // namespace pinion::testing
