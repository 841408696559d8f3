#include "gateway/http2/limit_counters.h"

namespace pinion::http2 {

absl::string_view LimitName(Limit limit) {
  switch (limit) {
    case Limit::kPings:
      return "pings";
    case Limit::kSettings:
      return "settings";
    case Limit::kSettingsEntries:
      return "settings_entries";
    case Limit::kGoAways:
      return "goaways";
    case Limit::kEmptyFrames:
      return "empty_frames";
    case Limit::kPriorities:
      return "priorities";
    case Limit::kWindowUpdates:
      return "window_updates";
    case Limit::kResets:
      return "resets";
    case Limit::kFaultyStreams:
      return "faulty_streams";
    case Limit::kContinuations:
      return "continuations";
    case Limit::kInterimResponses:
      return "interim_responses";
    case Limit::kUnreadAnswers:
      return "unread_answers";
    case Limit::kHeaderList:
      return "header_list";
    case Limit::kConcurrentStreams:
      return "concurrent_streams";
    case Limit::kReflection:
      return "reflection";
    case Limit::kPrefaceTimeout:
      return "preface_timeout";
    case Limit::kHeaderArrival:
      return "header_arrival";
    case Limit::kIdleTimeout:
      return "idle_timeout";
    case Limit::kWriteStall:
      return "write_stall";
    case Limit::kMaxConnections:
      return "max_connections";
    case Limit::kHandshakes:
      return "handshakes";
    case Limit::kMemoryIdle:
      return "memory_idle";
    case Limit::kMemoryCalls:
      return "memory_calls";
    case Limit::kMemoryLargest:
      return "memory_largest";
    case Limit::kConnectTimeout:
      return "connect_timeout";
    case Limit::kPendingCalls:
      return "pending_calls";
    case Limit::kPendingTime:
      return "pending_time";
    case Limit::kForeignAnswers:
      return "foreign_answers";
    case Limit::kResetsSent:
      return "resets_sent";
  }
  return "";
}

}  // namespace pinion::http2
