#include "clients/cli/progress.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "base/clock.h"

namespace pinion::cli {
namespace {

// Ten times a second looks alive, and costs nothing.
constexpr absl::Duration kInterval = absl::Milliseconds(100);
constexpr int64_t kBarCells = 20;
constexpr char kTakeLineAway[] = "\r\x1b[K";

}  // namespace

std::string ProgressText(int64_t done, int64_t total, absl::string_view what) {
  if (total <= 0) return absl::StrCat(done, " ", what);
  total = std::max(done, total);
  const int64_t cells = done * kBarCells / total;
  return absl::StrCat("[", std::string(cells, '#'), std::string(kBarCells - cells, ' '), "] ",
                      absl::Dec(done * 100 / total, absl::kSpacePad3), " %  ", done, " of ", total,
                      " ", what);
}

Progress::Progress(Invocation& run, absl::string_view what) : run_(run), what_(what) {}

Progress::~Progress() {
  if (said_ != absl::InfinitePast()) run_.err() << kTakeLineAway << std::flush;
}

void Progress::At(int64_t done, int64_t total) {
  if (!run_.err_is_terminal()) return;
  const absl::Time now = SystemClock().Monotonic();
  if (now - said_ < kInterval) return;
  said_ = now;
  run_.err() << kTakeLineAway << ProgressText(done, total, what_) << std::flush;
}

}  // namespace pinion::cli
