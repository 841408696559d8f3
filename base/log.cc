#include "base/log.h"

#include <memory>
#include <string_view>
#include <utility>

#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace pinion::log {
namespace {

// Made on first use and never destroyed, so that threads which outlive main's statics may still
// speak.
spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger>& logger = *[] {
    auto made = std::make_unique<std::shared_ptr<spdlog::logger>>(std::make_shared<spdlog::logger>(
        "pinion", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
    (*made)->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    (*made)->flush_on(spdlog::level::info);
    return made.release();
  }();
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      break;
  }
  return spdlog::level::off;
}

// For fmt, which does not know abseil's.
std::string_view View(absl::string_view text) { return {text.data(), text.size()}; }

void Write(Level level, absl::string_view part, absl::string_view message) {
  Logger().log(SpdlogLevel(level), "{}: {}", View(part), View(message));
}

}  // namespace

void SetLevel(Level level) { Logger().set_level(SpdlogLevel(level)); }

void Debug(absl::string_view part, absl::string_view message) {
  Write(Level::kDebug, part, message);
}
void Info(absl::string_view part, absl::string_view message) { Write(Level::kInfo, part, message); }
void Warning(absl::string_view part, absl::string_view message) {
  Write(Level::kWarning, part, message);
}
void Error(absl::string_view part, absl::string_view message) {
  Write(Level::kError, part, message);
}

}  // namespace pinion::log
