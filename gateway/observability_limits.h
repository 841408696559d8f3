// Bounds of the access log, the metrics and the admin port, each with its reason.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace pinion::limits {

// ---- access log (gateway/access_log) ----

// One line: all fields at their bounds fit, and a pipe takes it whole (PIPE_BUF).
inline constexpr size_t kLogLineBytesMax = 4096;
// Lines of one worker that wait for the writer's thread: half a second at 5,000 calls a second.
// Full: the line is dropped and counted.
inline constexpr size_t kLogRingBytes = 1024 * 1024;
// How long a line may wait there: soon enough for whoever watches the file, hardly ever for nobody.
inline constexpr absl::Duration kLogFlushInterval = absl::Milliseconds(100);

// ---- metrics (gateway/proxy) ----

// Versions and services that one worker counts apart; the rest is counted together. A thousand
// versions are some 30,000 series, as much as a scrape of one process should bring.
inline constexpr size_t kMetricVersionsMax = 1000;
inline constexpr size_t kMetricServicesMax = 250;

// ---- what the registry is told of calls (gateway/proxy, gateway/watch) ----

// What one worker counts apart between two reports, by (consumer, version, method): some hundred
// KiB. Further ones are counted by version only.
inline constexpr size_t kUsageRowsMax = 4096;

// ---- admin port (gateway/admin) ----

// Far more people and scrapers than there are; a further connection is closed at once.
inline constexpr unsigned kAdminConnectionsMax = 64;
inline constexpr unsigned kAdminIdleSeconds = 10;  // for a client that sends or reads nothing
// Request line and headers of one request, and what the server needs beside them.
inline constexpr size_t kAdminConnectionBytesMax = 32 * 1024;
// What a command waits for, and reads of, a gateway's answer: a sentence.
inline constexpr long kAdminAnswerSeconds = 10;
inline constexpr size_t kAdminAnswerBytesMax = 16 * 1024;

}  // namespace pinion::limits
