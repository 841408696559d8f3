// Random changes, applied one by one with tables built between, against a builder that gets the
// final resources at once: both tables must decide every call alike, and tables built before must
// not have changed.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using routing::v1::Resource;

const char* const kServices[] = {"a", "b", "c"};
const char* const kVersions[] = {"1.0.0", "1.1.0", "2.0.0", "2.0.0-rc.1"};
const char* const kConsumers[] = {"u", "v", "w", "x"};
const char* const kExpressions[] = {"^1",    "1.0.0", ">=1.1", "@stable",
                                    "@edge", "*",     "3.0.0", "^2.0.0-a"};
const char* const kEntitlements[] = {"^1", "2.0.0", "<1.1 || ^2.0.0-a"};
const char* const kMethods[] = {"/pkg.a/Get", "/pkg.a/Put", "/pkg.b/Get", "/pkg.c/Get"};
const char* const kChannels[] = {"stable", "edge"};

class RandomChanges {
 public:
  explicit RandomChanges(uint32_t seed) : random_(seed) {}

  // Key that identifies it → the resource.
  std::pair<std::string, Resource> Next() {
    const std::string service = Pick(kServices);
    Resource r;
    switch (random_() % 10) {
      case 0: {
        auto& s = *r.mutable_service();
        s.set_name(service);
        s.set_scheme(routing::v1::SEMVER);
        s.add_grpc_services("pkg." + service);
        if (Chance(4)) s.mutable_unpinned()->mutable_reject();
        if (Chance(4)) s.mutable_unpinned()->mutable_pin_on_first_call()->set_channel("edge");
        return {"service/" + service, r};
      }
      case 1: {
        auto& v = *r.mutable_version();
        v.set_service(service);
        v.set_name(Pick(kVersions));
        v.set_state(static_cast<routing::v1::VersionState>(1 + random_() % 5));
        if (Chance(2)) {
          auto& methods = *v.add_methods();
          methods.set_grpc_service("pkg." + service);
          methods.add_methods(Chance(2) ? "Get" : "Put");
        }
        return {"version/" + service + v.name(), r};
      }
      case 2: {
        auto& c = *r.mutable_channel();
        c.set_service(service);
        c.set_name(Pick(kChannels));
        c.set_version(Pick(kVersions));
        if (Chance(2)) {
          c.mutable_ramp()->set_version(Pick(kVersions));
          c.mutable_ramp()->set_percent(1 + random_() % 99);
        }
        return {"channel/" + service + c.name(), r};
      }
      case 3: {
        auto& i = *r.mutable_instance();
        i.set_service(service);
        i.set_version(Pick(kVersions));
        i.set_uid(std::to_string(random_() % 8));
        i.mutable_address()->mutable_socket_address()->set_address("10.0.0.1");
        i.mutable_address()->mutable_socket_address()->set_port_value(1 + random_() % 9);
        return {"instance/" + i.uid(), r};
      }
      case 4: {
        auto& c = *r.mutable_consumer();
        c.set_name(Pick(kConsumers));
        if (Chance(2)) c.set_default_channel(Pick(kChannels));
        if (Chance(3)) c.add_identities()->set_trusted_header("id-" + c.name());
        return {"consumer/" + c.name(), r};
      }
      case 5: {
        auto& n = *r.mutable_resolution();
        n.set_service(service);
        n.set_expression(Chance(2) ? "^1" : ">=1.1");
        n.set_version(Chance(4) ? "" : Pick(kVersions));
        return {"resolution/" + service + n.expression(), r};
      }
      case 6:
        return NextEntitlement(service);
      default:
        return NextPin(service);
    }
  }

  bool Chance(uint32_t one_in) { return random_() % one_in == 0; }

 private:
  std::pair<std::string, Resource> NextEntitlement(const std::string& service) {
    Resource r;
    auto& e = *r.mutable_entitlement();
    e.set_consumer(Pick(kConsumers));
    e.set_service(service);
    e.set_expression(Pick(kEntitlements));
    return {"entitlement/" + e.consumer() + service, r};
  }

  std::pair<std::string, Resource> NextPin(const std::string& service) {
    Resource r;
    auto& p = *r.mutable_pin();
    p.set_consumer(Pick(kConsumers));
    p.set_service(service);
    if (Chance(3)) p.set_method(Pick(kMethods));
    p.set_expression(Pick(kExpressions));
    if (Chance(3)) p.mutable_drain()->set_seconds(random_() % 3);
    return {"pin/" + p.consumer() + service + p.method(), r};
  }

  template <size_t kSize>
  std::string Pick(const char* const (&from)[kSize]) {
    return from[random_() % kSize];
  }

  std::mt19937 random_;
};

// Everything that a table says about every call that these resources can make.
std::string Decisions(const RouteTable& table) {
  std::string all = absl::StrCat(table.pin_count(), " ", table.consumer_count(), "\n");
  for (const char* path : kMethods) {
    for (const char* consumer : {"", "u", "v", "w", "x", "id-u", "id-v", "id-w", "id-x"}) {
      for (const char* header : {"", "^1", "2.0.0", "~1.1", "@stable"}) {
        CallQuery query;
        query.method = *ParseMethodPath(path);
        const std::optional<Consumer> found = table.FindConsumerByHeader(consumer);
        if (found) query.consumer = &*found;
        if (header[0] != '\0') query.version_header = header;
        for (const std::string& step : table.Explain(query)) absl::StrAppend(&all, step, "\n");
        const std::optional<absl::Duration> drain = table.Drain(query);
        absl::StrAppend(&all, drain ? absl::FormatDuration(*drain) : "no drain", "\n");
        HeaderResolutions headers;
        const Resolved resolved = table.Resolve(query, headers);
        if (const Route* route = std::get_if<Route>(&resolved)) {
          for (const InstanceEntry& instance : *route->version->instances) {
            absl::StrAppend(&all, instance.uid, ":", instance.port, " ");
          }
        }
      }
    }
  }
  return all;
}

TEST(IncrementalTest, AgreesWithABuildFromScratch) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    RandomChanges changes(seed);
    TableBuilder incremental;
    std::map<std::string, Resource> resources;
    std::vector<std::pair<std::shared_ptr<const RouteTable>, std::string>> built;
    for (int step = 0; step < 300; ++step) {
      const auto [key, resource] = changes.Next();
      routing::v1::Change change;
      if (changes.Chance(3)) {
        *change.mutable_deleted() = resource;
        resources.erase(key);
      } else {
        *change.mutable_put() = resource;
        resources[key] = resource;
      }
      const absl::Status status = incremental.Apply(change);
      ASSERT_TRUE(status.ok()) << status << change.DebugString();
      if (step % 60 == 59) {
        const auto table = incremental.Build();
        built.emplace_back(table, Decisions(*table));
        TableBuilder scratch;
        for (const auto& [k, r] : resources) ASSERT_TRUE(scratch.Put(r).ok());
        ASSERT_EQ(Decisions(*scratch.Build()), built.back().second) << "step " << step;
      } else if (changes.Chance(5)) {
        incremental.Build();
      }
    }
    for (const auto& [table, decisions] : built) ASSERT_EQ(Decisions(*table), decisions);
  }
}

// What the builder writes from now on is in no page that a table shares. A std::mutex, since
// ThreadSanitizer does not see into Debian's absl::Mutex.
TEST(IncrementalTest, TablesAreReadWhileTheNextIsBuilt) {
  std::mutex mutex;
  std::shared_ptr<const RouteTable> posted = std::make_shared<RouteTable>();
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&mutex, &posted, &done] {
      while (!done) {
        std::shared_ptr<const RouteTable> table;
        {
          const std::lock_guard lock(mutex);
          table = posted;
        }
        const std::string first = Decisions(*table);
        EXPECT_EQ(first, Decisions(*table));
      }
    });
  }
  RandomChanges changes(99);
  TableBuilder builder;
  for (int step = 0; step < 500; ++step) {
    EXPECT_TRUE(builder.Put(changes.Next().second).ok());
    const std::lock_guard lock(mutex);
    posted = builder.Build();
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace pinion::route
