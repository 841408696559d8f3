#include "tests/sim/scenario.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pinion::sim {
namespace {

using testing::Random;

// When calls begin and tables change; what they take comes on top.
constexpr absl::Duration kBusyTime = absl::Milliseconds(800);

absl::Duration Moment(Random& random) { return random.Between(absl::ZeroDuration(), kBusyTime); }

http2::Options DrawHttp2(Random& random) {
  http2::Options options;
  if (random.OneIn(3)) {
    constexpr uint32_t kWindows[] = {600, 5000, 16384, 65535, 65536, 1'000'000, 1'000'000};
    options.stream_window_bytes = random.PickFrom(kWindows);
  }
  if (random.OneIn(3)) options.connection_window_bytes = 65535;
  constexpr uint32_t kWindowsMax[] = {0, 16384, 262'144, 1'048'576};
  options.stream_window_bytes_max = random.PickFrom(kWindowsMax);
  if (random.OneIn(4)) {
    options.output_high_watermark_bytes = random.Between(uint64_t{16} << 10, uint64_t{128} << 10);
  }
  return options;
}

void DrawVersions(Random& random, Scenario& scenario) {
  const uint64_t count = random.Between(uint64_t{1}, uint64_t{3});
  VersionSpec version;
  for (uint64_t i = 0; i < count; ++i) {
    scenario.versions.push_back(version);
    const uint64_t instances = random.Between(uint64_t{1}, uint64_t{3});
    for (uint64_t j = 0; j < instances; ++j) {
      InstanceSpec instance;
      instance.uid = absl::StrCat("v", NameOf(version), "-", j);
      instance.version = i;
      instance.port = static_cast<uint16_t>(1000 + scenario.instances.size());
      instance.http2 = DrawHttp2(random);
      if (random.OneIn(4)) {
        instance.http2.max_concurrent_streams = static_cast<uint32_t>(random.Size(8));
      }
      scenario.instances.push_back(std::move(instance));
    }
    if (random.OneIn(2)) {
      ++version.major;
      version.minor = 0;
    } else {
      ++version.minor;
    }
  }
}

std::string DrawExpression(Random& random, const Scenario& scenario) {
  const VersionSpec& version = scenario.versions[random.Below(scenario.versions.size())];
  switch (random.Below(8)) {
    case 0:
      return "@stable";
    case 1:
    case 2:
      return absl::StrCat("^", version.major);
    case 3:
      return "^7";
    default:
      return NameOf(version);
  }
}

TableState DrawFirstTable(Random& random, const Scenario& scenario) {
  TableState table;
  table.stable = random.Below(scenario.versions.size());
  for (const std::string& consumer : scenario.consumers) {
    if (!random.OneIn(3)) table.pins[consumer] = DrawExpression(random, scenario);
  }
  for (size_t i = 0; i < scenario.instances.size(); ++i) table.instances.insert(i);
  if (random.OneIn(3)) table.instances.erase(random.Below(scenario.instances.size()));
  return table;
}

void ChangeTable(Random& random, const Scenario& scenario, TableState& table) {
  const std::string& consumer = scenario.consumers[random.Below(scenario.consumers.size())];
  const size_t instance = random.Below(scenario.instances.size());
  switch (random.Below(5)) {
    case 0:
      table.stable = random.Below(scenario.versions.size());
      break;
    case 1:
      table.pins.erase(consumer);
      break;
    case 2:
      if (table.instances.erase(instance) == 0) table.instances.insert(instance);
      break;
    default:
      table.pins[consumer] = DrawExpression(random, scenario);
      break;
  }
}

void DrawTables(Random& random, Scenario& scenario) {
  TableState table = DrawFirstTable(random, scenario);
  scenario.tables.push_back({absl::ZeroDuration(), table});
  const uint64_t changes = random.OneIn(3) ? 0 : random.Size(6);
  std::vector<absl::Duration> times;
  for (uint64_t i = 0; i < changes; ++i) times.push_back(Moment(random));
  std::sort(times.begin(), times.end());
  for (const absl::Duration at : times) {
    ChangeTable(random, scenario, table);
    scenario.tables.push_back({at, table});
  }
}

// An address that one version gives up and another takes over a while later.
void DrawHeir(Random& random, Scenario& scenario) {
  const size_t leaver = random.Below(scenario.instances.size());
  const size_t heir = scenario.instances.size();
  InstanceSpec instance = scenario.instances[leaver];
  instance.version = (instance.version + 1) % scenario.versions.size();
  instance.uid = absl::StrCat("v", NameOf(scenario.versions[instance.version]), "-heir");
  instance.starts_later = true;
  scenario.instances.push_back(std::move(instance));
  const absl::Duration leaves = Moment(random) / 2;
  const absl::Duration starts = leaves + kBusyTime / 4;
  for (const absl::Duration at : {leaves, starts}) {
    const auto before = std::find_if(scenario.tables.rbegin(), scenario.tables.rend(),
                                     [&](const TableChange& change) { return change.at <= at; });
    const TableState table = before->table;
    scenario.tables.insert(before.base(), {at, table});
  }
  for (TableChange& change : scenario.tables) {
    if (change.at >= leaves) change.table.instances.erase(leaver);
    if (change.at >= starts) change.table.instances.insert(heir);
  }
  scenario.events.push_back({.at = leaves, .kind = Event::Kind::kInstanceStops, .target = leaver});
  scenario.events.push_back({.at = starts, .kind = Event::Kind::kInstanceStarts, .target = heir});
}

void DrawInstanceTrouble(Random& random, Scenario& scenario) {
  Event event{.at = Moment(random), .target = random.Below(scenario.instances.size())};
  switch (random.Below(4)) {
    case 0:
      event.kind = Event::Kind::kInstanceDies;
      if (random.OneIn(2)) {
        scenario.events.push_back(
            {.at = event.at + random.Between(absl::Milliseconds(1), kBusyTime),
             .kind = Event::Kind::kInstanceReturns,
             .target = event.target});
      }
      break;
    case 1:
      event.kind = Event::Kind::kGoAway;
      break;
    case 2:
      event.kind = Event::Kind::kGoAwayAtOnce;
      break;
    case 3:
      event.kind = Event::Kind::kLowerMaxStreams;
      event.number = static_cast<uint32_t>(random.Below(4));
      break;
  }
  scenario.events.push_back(event);
}

void DrawEvents(Random& random, Scenario& scenario) {
  if (scenario.weather == Weather::kStorm) {
    for (uint64_t i = random.Below(3); i > 0; --i) DrawInstanceTrouble(random, scenario);
    if (random.OneIn(3)) {
      scenario.events.push_back(
          {.at = Moment(random),
           .kind = random.OneIn(2) ? Event::Kind::kClientCut : Event::Kind::kClientCloses,
           .target = random.Below(scenario.clients.size())});
    }
  } else if (random.OneIn(4)) {
    scenario.events.push_back({.at = Moment(random),
                               .kind = Event::Kind::kGoAway,
                               .target = random.Below(scenario.instances.size())});
  }
  if (random.OneIn(8)) {
    scenario.events.push_back({.at = Moment(random), .kind = Event::Kind::kGatewayDrains});
  }
}

}  // namespace

Scenario DrawScenario(uint64_t seed) {
  Random random(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.weather = static_cast<Weather>(random.Below(3));
  scenario.stall_max = absl::Milliseconds(random.Size(1500));
  scenario.round_robin = random.OneIn(2);
  scenario.downstream = DrawHttp2(random);
  scenario.upstream = DrawHttp2(random);
  if (random.OneIn(4)) {
    scenario.downstream.max_concurrent_streams = static_cast<uint32_t>(random.Size(10));
  }
  DrawVersions(random, scenario);
  for (uint64_t i = random.Between(uint64_t{1}, uint64_t{4}); i > 0; --i) {
    scenario.consumers.push_back(absl::StrCat("consumer-", i));
  }
  for (uint64_t i = random.Between(uint64_t{1}, uint64_t{4}); i > 0; --i) {
    scenario.clients.push_back(DrawHttp2(random));
  }
  DrawTables(random, scenario);
  if (scenario.versions.size() > 1 && random.OneIn(3)) DrawHeir(random, scenario);
  DrawEvents(random, scenario);
  const uint64_t calls = random.Size(200);
  Random call_random = random.Fork();
  for (uint64_t i = 0; i < calls; ++i) {
    scenario.calls.push_back(DrawCall(call_random, scenario, i));
    scenario.calls.back().at = Moment(call_random);
    scenario.calls.back().client = call_random.Below(scenario.clients.size());
  }
  DrawExtras(seed, scenario);
  return scenario;
}

}  // namespace pinion::sim
