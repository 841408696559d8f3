// A peer that says just what a test tells it, frame by frame, faults included, and writes down the
// frames that it gets. Acknowledges SETTINGS by itself; opens no windows. Any side of a connection;
// the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/hpack_encoder.h"
#include "gateway/net/byte_stream.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/h2_frames.h"
#include "tests/testing/sim_loop.h"

namespace pinion::testing {

class RawPeer final : private net::ByteStream::Observer {
 public:
  struct Frame : h2::WireFrame {
    Metadata fields;  // of HEADERS, decoded
  };

  // Sends the preface if it is a `client`, and SETTINGS with `settings`.
  RawPeer(SimLoop& loop, std::unique_ptr<net::ByteStream> stream, bool client,
          const std::string& settings = h2::Settings());
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // In the loop's next turn.
  void Send(std::string bytes);
  void Close();

  // All so far.
  const std::vector<Frame>& frames() const { return frames_; }
  // Those of one stream and type.
  std::vector<const Frame*> Of(uint32_t stream_id, uint8_t type) const;
  // The payloads of a stream's DATA.
  std::string DataOf(uint32_t stream_id) const;
  // The last RST_STREAM's code; nullopt: none.
  std::optional<uint32_t> ResetOf(uint32_t stream_id) const;
  // The field of the stream's last HEADERS; empty: none.
  std::string FieldOf(uint32_t stream_id, std::string_view name) const;
  // The other side has ended the connection.
  bool ended() const { return ended_; }
  // Everything received, as it came.
  const std::string& bytes() const { return bytes_; }

  // Hears of each frame when it has been written down; may Send().
  void set_on_frame(std::function<void(const Frame&)> on_frame) { on_frame_ = on_frame; }

 private:
  void OnReadable() override;
  void OnWritable() override { Flush(); }
  void Flush();
  void OnFrame(h2::WireFrame wire);

  SimLoop& loop_;
  std::unique_ptr<net::ByteStream> stream_;
  bool expects_preface_;
  std::string unparsed_;
  std::string unsent_;
  std::string bytes_;
  std::vector<Frame> frames_;
  std::vector<uint8_t> scratch_;
  http2::HpackDecoder decoder_{scratch_};
  std::function<void(const Frame&)> on_frame_;
  bool ended_ = false;
};

}  // namespace pinion::testing
