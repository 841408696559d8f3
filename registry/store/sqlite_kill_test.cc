// Acknowledged means on disk: a child process writes from several threads and says what was
// acknowledged; it is killed at an arbitrary moment, and all that it had said is there afterwards,
// whole transactions only.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "registry/store/sqlite_store.h"
#include "tests/testing/temp_directory.h"

namespace pinion::store {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 6;

struct Acknowledgement {
  int32_t thread;
  int32_t number;
  int64_t revision;
};

std::string KeyOf(int32_t thread, int32_t number, char half) {
  return absl::StrCat("k/", thread, "/", number, "/", std::string(1, half));
}

// Never returns: somebody kills it.
[[noreturn]] void WriteForEver(const std::string& path, int out, int round) {
  absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path);
  if (!store.ok()) _exit(2);
  std::vector<std::thread> threads;
  for (int32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([store = store->get(), out, round, t] {
      for (int32_t i = round * 1'000'000;; ++i) {
        absl::StatusOr<TxnResult> result =
            store->Commit({.then = {Put{KeyOf(t, i, 'a'), "1"}, Put{KeyOf(t, i, 'b'), "2"}}});
        if (!result.ok()) _exit(3);
        const Acknowledgement said{t, i, result->revision};
        if (write(out, &said, sizeof(said)) != sizeof(said)) _exit(4);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(0);
}

// Runs a writer until it has acknowledged `count` changes, kills it, and returns all that it said.
std::vector<Acknowledgement> WriteAndKill(const std::string& path, int round, int count) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(fds[0]);
    WriteForEver(path, fds[1], round);
  }
  close(fds[1]);
  std::vector<Acknowledgement> said;
  Acknowledgement one;
  bool killed = false;
  while (read(fds[0], &one, sizeof(one)) == sizeof(one)) {
    said.push_back(one);
    if (static_cast<int>(said.size()) >= count && !killed) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  close(fds[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
  return said;
}

TEST(SqliteKill, WhatWasAcknowledgedIsThere) {
  const testing::TempDirectory directory;
  const std::string path = directory.Path("registry.db");
  std::vector<Acknowledgement> said;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<Acknowledgement> more = WriteAndKill(path, round, 37 + 101 * round);
    said.insert(said.end(), more.begin(), more.end());
    absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path);
    ASSERT_TRUE(store.ok()) << store.status();
    std::map<std::string, Revision> there;
    const absl::StatusOr<RangeResult> all = (*store)->Range({.range = KeyRange::Prefix("k/")});
    ASSERT_TRUE(all.ok()) << all.status();
    for (const KeyValue& kv : all->kvs) {
      there[kv.key] = kv.mod_revision;
    }
    for (const Acknowledgement& one : said) {
      EXPECT_EQ(there[KeyOf(one.thread, one.number, 'a')], one.revision);
      EXPECT_EQ(there[KeyOf(one.thread, one.number, 'b')], one.revision);
    }
    EXPECT_EQ(there.size() % 2, 0u) << "half a transaction";
    EXPECT_EQ(static_cast<size_t>((*store)->revision()), 1 + there.size() / 2)
        << "a revision without its change";
  }
}

}  // namespace
}  // namespace pinion::store
