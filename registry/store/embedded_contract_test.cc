// The stores that live in the registry's own process keep the contract.
#include "registry/store/memory_store.h"
#include "registry/store/sqlite_store.h"
#include "tests/testing/store_contract.h"

namespace pinion::store {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Implementations, StoreContract,
    ::testing::Values(
        Implementation{"memory",
                       [](const std::string&, const Clock& clock) -> std::unique_ptr<Store> {
                         return std::make_unique<MemoryStore>(clock);
                       }},
        Implementation{"sqlite",
                       [](const std::string& path, const Clock& clock) -> std::unique_ptr<Store> {
                         absl::StatusOr<std::unique_ptr<SqliteStore>> store =
                             SqliteStore::Open(path, clock);
                         EXPECT_TRUE(store.ok()) << store.status();
                         return store.ok() ? *std::move(store) : nullptr;
                       },
                       /*durable=*/true}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pinion::store
