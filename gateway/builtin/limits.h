// The bounds of what the gateway answers itself, each with its reason.
#pragma once

namespace pinion::limits {

// Services that reflection looks at in one worker, to list them or to find a file among them. To
// look at one takes up to two microseconds in which no call goes on: a tenth of the worker's time,
// whoever asks and however many. Among ten thousand services that is five searches a second, and
// two at once; a table of any size can be listed once.
inline constexpr double kReflectionLooksPerSecond = 50'000;
inline constexpr double kReflectionLooksBurst = 20'000;

}  // namespace pinion::limits
