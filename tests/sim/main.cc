// pinion_sim: runs scenarios by their seeds and says which did not hold. A failing seed is run once
// more with a trace.
//
//   pinion_sim --seeds=500 --first=1      seeds 1..500, after those of seeds.txt
//   pinion_sim --seed=4711 --trace        one seed, with everything that happens in it
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/sim/simulation.h"

namespace pinion::sim {
namespace {

constexpr size_t kTraceLines = 60;

// For the case that a run ends the whole program: a failed CHECK, or what a sanitizer finds.
char running[64];

void SayWhatRuns() {
  if (write(STDERR_FILENO, running, std::strlen(running)) < 0) return;
}

void SetRunning(uint64_t seed) {
  absl::SNPrintF(running, sizeof(running), "\nreplay: pinion_sim --seed=%d --trace\n", seed);
}

void OnAbort(int /*signal*/) {
  SayWhatRuns();
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

struct Flags {
  uint64_t seeds = 500;
  uint64_t first = 1;
  uint64_t seed = 0;  // only this one
  bool trace = false;
  std::string kept = "tests/sim/seeds.txt";
};

struct Totals {
  uint64_t seeds = 0;
  uint64_t failed = 0;
  uint64_t turns = 0;
  std::map<std::string, uint64_t> ends;
};

bool ParseFlags(int argc, char** argv, Flags& flags) {
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument(argv[i]);
    bool good = true;
    if (absl::ConsumePrefix(&argument, "--seeds=")) {
      good = absl::SimpleAtoi(argument, &flags.seeds);
    } else if (absl::ConsumePrefix(&argument, "--first=")) {
      good = absl::SimpleAtoi(argument, &flags.first);
    } else if (absl::ConsumePrefix(&argument, "--seed=")) {
      good = absl::SimpleAtoi(argument, &flags.seed);
    } else if (absl::ConsumePrefix(&argument, "--kept=")) {
      flags.kept = std::string(argument);
    } else if (argument == "--trace") {
      flags.trace = true;
    } else {
      good = false;
    }
    if (!good) {
      std::fprintf(stderr,
                   "pinion_sim: cannot read %s\n"
                   "usage: pinion_sim [--seeds=N] [--first=F] [--seed=S] [--trace] [--kept=FILE]\n",
                   argv[i]);
      return false;
    }
  }
  return true;
}

// Seeds that failed once: the first word of each line that is no comment.
std::vector<uint64_t> KeptSeeds(const std::string& path) {
  std::vector<uint64_t> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    uint64_t seed;
    if (absl::SimpleAtoi(line.substr(0, line.find(' ')), &seed)) seeds.push_back(seed);
  }
  return seeds;
}

Report RunSeed(uint64_t seed, std::function<void(const std::string&)> trace) {
  SetRunning(seed);
  const Scenario scenario = DrawScenario(seed);
  Simulation simulation(scenario, std::move(trace));
  return simulation.Run();
}

void Explain(uint64_t seed, const Report& report) {
  std::deque<std::string> last;
  RunSeed(seed, [&](const std::string& line) {
    last.push_back(line);
    if (last.size() > kTraceLines) last.pop_front();
  });
  std::printf("\nseed %llu does not hold:\n", static_cast<unsigned long long>(seed));
  for (const std::string& finding : report.findings) std::printf("  %s\n", finding.c_str());
  std::printf("the last that happened:\n");
  for (const std::string& line : last) std::printf("  %s\n", line.c_str());
  std::printf("replay: pinion_sim --seed=%llu --trace\n", static_cast<unsigned long long>(seed));
}

// Where two runs first part; without a place when they do not part under a trace, which moves
// memory.
void ExplainDifference(uint64_t seed) {
  std::vector<std::string> first, second;
  RunSeed(seed, [&](const std::string& line) { first.push_back(line); });
  RunSeed(seed, [&](const std::string& line) { second.push_back(line); });
  const auto [a, b] = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  std::printf("seed %llu parts after line %lld of its trace:\n  %s\n  %s\n",
              static_cast<unsigned long long>(seed), static_cast<long long>(a - first.begin()),
              a == first.end() ? "(end)" : a->c_str(), b == second.end() ? "(end)" : b->c_str());
}

void Check(uint64_t seed, bool twice, Totals& totals) {
  Report report = RunSeed(seed, nullptr);
  if (twice && RunSeed(seed, nullptr).fingerprint != report.fingerprint) {
    report.findings.push_back("two runs of this seed differ: something depends on more than it");
    ExplainDifference(seed);
  }
  ++totals.seeds;
  totals.turns += report.turns;
  for (const auto& [how, calls] : report.ends) totals.ends[how] += calls;
  if (report.findings.empty()) return;
  ++totals.failed;
  Explain(seed, report);
}

std::string Show(const std::map<std::string, uint64_t>& ends) {
  uint64_t all = 0;
  std::string text;
  for (const auto& [how, calls] : ends) {
    all += calls;
    absl::StrAppend(&text, text.empty() ? "" : ", ", calls, " ", how);
  }
  return absl::StrCat(all, " calls: ", text);
}

int RunOne(const Flags& flags) {
  std::function<void(const std::string&)> trace;
  if (flags.trace) trace = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
  const Report report = RunSeed(flags.seed, trace);
  for (const std::string& finding : report.findings) std::printf("%s\n", finding.c_str());
  std::printf("seed %s %s; fingerprint %016llx; %s\n", absl::StrCat(flags.seed).c_str(),
              report.findings.empty() ? "holds" : "does not hold",
              static_cast<unsigned long long>(report.fingerprint), Show(report.ends).c_str());
  return report.findings.empty() ? 0 : 1;
}

int RunMany(const Flags& flags) {
  Totals totals;
  for (const uint64_t seed : KeptSeeds(flags.kept)) Check(seed, false, totals);
  for (uint64_t i = 0; i < flags.seeds; ++i) Check(flags.first + i, i % 20 == 0, totals);
  std::printf("%s\n", absl::StrCat(totals.seeds, " seeds, ", totals.failed, " do not hold; ",
                                   totals.turns, " turns; ", Show(totals.ends))
                          .c_str());
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pinion::sim

// Of the sanitizers' runtime; null without one.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

int main(int argc, char** argv) {
  std::signal(SIGABRT, pinion::sim::OnAbort);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(pinion::sim::SayWhatRuns);
  }
  pinion::sim::Flags flags;
  if (!pinion::sim::ParseFlags(argc, argv, flags)) return 2;
  return flags.seed != 0 ? pinion::sim::RunOne(flags) : pinion::sim::RunMany(flags);
}
