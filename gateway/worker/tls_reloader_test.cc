// Files that change under a running gateway: what is taken over, what is not, and who hears of it.
#include "gateway/worker/tls_reloader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/mutex.h"
#include "gateway/tls_limits.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"

namespace pinion::worker {
namespace {

class TlsReloaderTest : public ::testing::Test {
 protected:
  TlsReloaderTest() {
    ca_.Write(dir_.path(), "ca");
    ListenerSettings listener;
    listener.options.name = "ingress";
    listener.tls = net::TlsServerOptions{.certificates = {Issue("server", absl::Hours(1))},
                                         .trusted_ca = dir_.path() + "/ca.crt"};
    settings_.listeners.push_back(listener);
    settings_.listeners.emplace_back();
    settings_.upstream_tls.push_back(
        {.services = {"db"}, .options = {.certificate = Issue("client", absl::Hours(2))}});
    auto reloader = TlsReloader::Start(
        settings_, clock_,
        [this](std::shared_ptr<const TlsSet> set) { in_force_.push_back(std::move(set)); });
    EXPECT_TRUE(reloader.ok()) << reloader.status();
    reloader_ = *std::move(reloader);
  }

  net::TlsCertificateFiles Issue(const std::string& name, absl::Duration valid) {
    return ca_.Issue(dir_.path(), name, {.dns = {name}, .valid = valid});
  }

  testing::TempDirectory dir_;
  const testing::CertificateAuthority ca_;
  testing::FakeClock clock_;
  Settings settings_;
  std::vector<std::shared_ptr<const TlsSet>> in_force_;
  std::unique_ptr<TlsReloader> reloader_;
};

TEST_F(TlsReloaderTest, WhatHasNotChangedIsNotReadAgain) {
  reloader_->Look(false);
  EXPECT_TRUE(in_force_.empty());
  EXPECT_EQ(reloader_->status().reloads, 0u);
  ASSERT_EQ(reloader_->status().expiries.size(), 2u);
  EXPECT_EQ(reloader_->status().expiries[0].first, "ingress");
  EXPECT_EQ(reloader_->status().expiries[1].first, "upstream");
}

TEST_F(TlsReloaderTest, ANewCertificateIsPutInForceAndTheRestStays) {
  const auto before = reloader_->current();
  Issue("server", absl::Hours(3));
  reloader_->Look(false);
  ASSERT_EQ(in_force_.size(), 1u);
  EXPECT_EQ(in_force_[0], reloader_->current());
  EXPECT_NE(in_force_[0]->listeners[0], before->listeners[0]);
  EXPECT_GT(in_force_[0]->listeners[0]->expiry(), before->listeners[0]->expiry());
  EXPECT_EQ(in_force_[0]->upstream->by_service.at("db"), before->upstream->by_service.at("db"));
  EXPECT_EQ(in_force_[0]->upstream->others, before->upstream->others);
  EXPECT_EQ(reloader_->status().reloads, 1u);
  reloader_->Look(false);
  EXPECT_EQ(in_force_.size(), 1u);
}

TEST_F(TlsReloaderTest, OtherCasMeanAnotherContext) {
  const auto before = reloader_->current();
  testing::CertificateAuthority("Another CA").Write(dir_.path(), "ca");
  reloader_->Look(false);
  ASSERT_EQ(in_force_.size(), 1u);
  EXPECT_NE(in_force_[0]->listeners[0], before->listeners[0]);
}

TEST_F(TlsReloaderTest, ABadFileChangesNothingAndIsSaidOnce) {
  const auto before = reloader_->current();
  const net::TlsCertificateFiles files = settings_.listeners[0].tls->certificates[0];
  dir_.Write("server.key", "half a k");
  for (int i = 0; i < 3; ++i) reloader_->Look(/*anyway=*/true);
  EXPECT_TRUE(in_force_.empty());
  EXPECT_EQ(reloader_->current(), before);
  EXPECT_EQ(reloader_->status().failures, 1u);
  EXPECT_TRUE(absl::StrContains(reloader_->status().problem,
                                "listener ingress: " + files.private_key + " holds no PEM"))
      << reloader_->status().problem;
  std::filesystem::remove(files.private_key);
  reloader_->Look(false);
  EXPECT_EQ(reloader_->status().failures, 2u);
  Issue("server", absl::Hours(3));
  reloader_->Look(false);
  EXPECT_EQ(in_force_.size(), 1u);
  EXPECT_EQ(reloader_->status().problem, "");
}

// Put in place again by what keeps times, or within one tick of the file system's clock.
TEST_F(TlsReloaderTest, AGoodFileThatLooksLikeTheBadOneIsFound) {
  const net::TlsCertificateFiles files = Issue("server", absl::Hours(3));
  const std::string key = testing::ReadFile(files.private_key);
  dir_.Write("server.key", std::string(key.size() + 1, 'x'));
  struct stat bad {};
  ASSERT_EQ(::stat(files.private_key.c_str(), &bad), 0);
  reloader_->Look(false);
  EXPECT_TRUE(in_force_.empty());
  EXPECT_EQ(reloader_->status().failures, 1u);
  dir_.Write("server.key", key + "\n");
  const timespec times[] = {bad.st_atim, bad.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, files.private_key.c_str(), times, 0), 0);
  reloader_->Look(false);
  EXPECT_EQ(in_force_.size(), 1u);
  EXPECT_EQ(reloader_->status().problem, "");
  reloader_->Look(false);
  EXPECT_EQ(in_force_.size(), 1u) << "it is not read again";
}

TEST_F(TlsReloaderTest, TheSameFilesPutBackEndTheComplaint) {
  const std::string key = settings_.listeners[0].tls->certificates[0].private_key;
  std::filesystem::rename(key, key + ".good");
  dir_.Write("server.key", "no key");
  reloader_->Look(false);
  EXPECT_EQ(reloader_->status().failures, 1u);
  std::filesystem::rename(key + ".good", key);
  reloader_->Look(false);
  EXPECT_EQ(reloader_->status().problem, "");
}

TEST_F(TlsReloaderTest, AskedToReadAgainItReadsWhateverTheTimesSay) {
  const auto before = reloader_->current();
  reloader_->Look(/*anyway=*/true);
  ASSERT_EQ(in_force_.size(), 1u);
  EXPECT_EQ(in_force_[0]->listeners[0], before->listeners[0]) << "the same files, the same context";
  EXPECT_EQ(reloader_->status().reloads, 0u);
}

TEST_F(TlsReloaderTest, TicketKeysRotateForAllListenersAndOldOnesAreUnderstood) {
  const net::TlsTicketKeys* first = reloader_->current()->listeners[0]->tickets();
  const net::TlsTicketKey key = first->keys().front();
  clock_.Advance(limits::kTlsTicketRotation - absl::Seconds(1));
  reloader_->Look(false);
  EXPECT_TRUE(in_force_.empty());
  clock_.Advance(absl::Seconds(1));
  reloader_->Look(false);
  ASSERT_EQ(in_force_.size(), 1u);
  const auto keys = in_force_[0]->listeners[0]->tickets()->keys();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_NE(keys[0].name, key.name);
  EXPECT_EQ(keys[1].name, key.name);
  EXPECT_EQ(reloader_->status().reloads, 0u) << "no file has changed";
  reloader_->Look(false);
  EXPECT_EQ(in_force_.size(), 1u);
}

TEST_F(TlsReloaderTest, AThreadLooksWhenItIsAsked) {
  Mutex mutex;
  CondVar changed;
  int calls = 0;
  auto reloader = *TlsReloader::Start(settings_, clock_, [&](std::shared_ptr<const TlsSet>) {
    const MutexLock lock(&mutex);
    ++calls;
    changed.Signal();
  });
  reloader->LookFromNowOn();
  reloader->LookSoon();
  const MutexLock lock(&mutex);
  while (calls == 0) changed.Wait(&mutex);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace pinion::worker
