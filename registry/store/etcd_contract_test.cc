// The etcd store keeps the contract, on a real etcd that each test gets for itself.
#include "registry/store/etcd_store.h"
#include "tests/testing/etcd_members.h"
#include "tests/testing/store_contract.h"

namespace pinion::store {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Implementations, StoreContract,
    ::testing::Values(Implementation{
        .name = "etcd",
        .open = [](const std::string& path, const Clock&) -> std::unique_ptr<Store> {
          absl::StatusOr<std::unique_ptr<Store>> store =
              OpenEtcdStore({.endpoints = testing::EtcdMembers::EndpointsIn(path)}, SystemClock());
          EXPECT_TRUE(store.ok()) << store.status();
          return store.ok() ? *std::move(store) : nullptr;
        },
        .durable = true,
        .real_time = true,
        .serve = [](const std::string& path) -> std::shared_ptr<void> {
          if (!testing::EtcdMembers::Installed()) return nullptr;
          return std::make_shared<testing::EtcdMembers>(path, 1);
        }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pinion::store
