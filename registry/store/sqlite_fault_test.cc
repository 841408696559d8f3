// The embedded store on a disk that fails: full, read-only, a sync that reports an error, a WAL
// that is gone. The disk is SQLite's own, behind a layer that can be told to fail.
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/store/sqlite_store.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"

namespace pinion::store {
namespace {

using ::testing::HasSubstr;

// What the disk does; of the whole process, as SQLite's layers are.
struct Faults {
  std::atomic<bool> full = false;
  std::atomic<bool> breaks = false;  // with the next write: then nothing can be read any more
  std::atomic<bool> broken = false;
  std::atomic<bool> sync_fails = false;
  std::atomic<bool> main_sync_fails = false;  // of the file itself, not of its WAL
  std::atomic<bool> read_only = false;
};
Faults faults;

struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* real;  // stands behind this
  bool main;
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->real; }
sqlite3_vfs* Below(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int Close(sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); }
int Read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  return faults.broken ? SQLITE_IOERR_READ : Real(f)->pMethods->xRead(Real(f), to, n, at);
}
int Write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  if (faults.breaks) faults.broken = true;
  if (faults.broken) return SQLITE_IOERR_WRITE;
  return faults.full ? SQLITE_FULL : Real(f)->pMethods->xWrite(Real(f), from, n, at);
}
int Truncate(sqlite3_file* f, sqlite3_int64 n) { return Real(f)->pMethods->xTruncate(Real(f), n); }
int Sync(sqlite3_file* f, int flags) {
  const bool main = reinterpret_cast<FaultyFile*>(f)->main;
  if (faults.sync_fails || (main && faults.main_sync_fails)) return SQLITE_IOERR_FSYNC;
  return Real(f)->pMethods->xSync(Real(f), flags);
}
int FileSize(sqlite3_file* f, sqlite3_int64* n) { return Real(f)->pMethods->xFileSize(Real(f), n); }
int Lock(sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); }
int Unlock(sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); }
int CheckLock(sqlite3_file* f, int* out) {
  return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
}
int Control(sqlite3_file* f, int op, void* arg) {
  return Real(f)->pMethods->xFileControl(Real(f), op, arg);
}
int SectorSize(sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); }
int Characteristics(sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); }
// style: allow volatile, SQLite's own signature
int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** at) {
  return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, at);
}
int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
  return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
}
void ShmBarrier(sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); }
int ShmUnmap(sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); }

const sqlite3_io_methods kMethods = {
    2,        Close,     Read,    Write,      Truncate,        Sync,   FileSize, Lock,
    Unlock,   CheckLock, Control, SectorSize, Characteristics, ShmMap, ShmLock,  ShmBarrier,
    ShmUnmap, nullptr,   nullptr,
};

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  if (faults.read_only && (flags & SQLITE_OPEN_READWRITE) != 0) return SQLITE_CANTOPEN;
  auto* file = reinterpret_cast<FaultyFile*>(f);
  file->real = reinterpret_cast<sqlite3_file*>(file + 1);
  file->main = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  const int code = Below(vfs)->xOpen(Below(vfs), name, file->real, flags, out_flags);
  file->base.pMethods = code == SQLITE_OK ? &kMethods : nullptr;
  return code;
}

class SqliteFaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = directory_.Path("registry.db");
    below_ = sqlite3_vfs_find(nullptr);
    layer_ = *below_;
    layer_.zName = "faulty";
    layer_.pAppData = below_;
    layer_.szOsFile = static_cast<int>(sizeof(FaultyFile)) + below_->szOsFile;
    layer_.xOpen = Open;
    sqlite3_vfs_register(&layer_, /*makeDflt=*/1);
  }
  void TearDown() override {
    faults.full = faults.sync_fails = faults.main_sync_fails = faults.read_only = false;
    faults.breaks = faults.broken = false;
    sqlite3_vfs_unregister(&layer_);
    sqlite3_vfs_register(below_, 1);
  }

  std::unique_ptr<SqliteStore> MustOpen(const Clock& clock = SystemClock()) {
    absl::StatusOr<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path_, clock);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static absl::Status Put(Store& store, const std::string& key, size_t bytes = 2000) {
    return store.Commit({.then = {store::Put{key, std::string(bytes, 'v')}}}).status();
  }
  static size_t Count(Store& store) {
    return store.Range({.range = KeyRange::Prefix("k")})->kvs.size();
  }

  const testing::TempDirectory directory_;
  std::string path_;
  sqlite3_vfs* below_ = nullptr;
  sqlite3_vfs layer_ = {};
};

TEST_F(SqliteFaultTest, AFullDiskTakesNoChangesAndReadsAndWatchesGoOn) {
  const auto store = MustOpen();
  ASSERT_TRUE(Put(*store, "k/1").ok());
  const auto watcher = store->Watch(KeyRange::Prefix("k"), 0);
  const Revision before = store->revision();
  faults.full = true;
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = Put(*store, "k/2");
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("nothing was changed, reading goes on"));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(store->GrantLease(absl::Seconds(10)).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(store->last_commit()));
  EXPECT_EQ(Count(*store), 1u);
  EXPECT_EQ(store->revision(), before) << "no revision was made";
  EXPECT_EQ(watcher->Next(absl::Seconds(10))->events.size(), 1u);
  EXPECT_TRUE(watcher->Next(absl::ZeroDuration())->events.empty());

  faults.full = false;
  EXPECT_TRUE(Put(*store, "k/2").ok()) << "by itself";
  EXPECT_TRUE(store->last_commit().ok());
  EXPECT_EQ(watcher->Next(absl::Seconds(10))->events.size(), 1u);
  EXPECT_EQ(store->revision(), before + 1);
}

TEST_F(SqliteFaultTest, WhatWasNotCommittedMakesNoRevisionThoughNothingCanBeRead) {
  const auto store = MustOpen();
  ASSERT_TRUE(Put(*store, "k/1").ok());
  const Revision before = store->revision();
  faults.breaks = true;
  EXPECT_FALSE(Put(*store, "k/2").ok());
  EXPECT_TRUE(faults.broken) << "what is tried comes to the disk";
  EXPECT_EQ(store->revision(), before);

  faults.breaks = faults.broken = false;
  EXPECT_TRUE(Put(*store, "k/2").ok());
  EXPECT_EQ(store->revision(), before + 1);
  EXPECT_EQ(Count(*store), 2u);
}

TEST_F(SqliteFaultTest, WhatWasAcknowledgedBeforeTheDiskWasFullIsThereAfterwards) {
  {
    const auto store = MustOpen();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(Put(*store, absl::StrCat("k/", i)).ok());
    faults.full = true;
    EXPECT_FALSE(Put(*store, "k/last").ok());
    // Closed while it is full: what is in the WAL stays there.
  }
  faults.full = false;
  EXPECT_EQ(Count(*MustOpen()), 50u);
}

TEST_F(SqliteFaultTest, ALeaseThatCannotBeEndedIsNoLongerThanItWas) {
  testing::FakeClock clock;
  const auto store = MustOpen(clock);
  const LeaseId lease = *store->GrantLease(absl::Seconds(10));
  clock.Advance(absl::Seconds(6));
  faults.full = true;
  EXPECT_TRUE(absl::IsResourceExhausted(store->RevokeLease(lease)));
  clock.Advance(absl::Seconds(4));
  EXPECT_EQ(store->ExpiredLeases()->size(), 1u);
  EXPECT_TRUE(absl::IsResourceExhausted(store->RevokeLease(lease)));
  EXPECT_EQ(store->ExpiredLeases()->size(), 1u) << "it has not come back to life";
  EXPECT_TRUE(absl::IsNotFound(store->RenewLease(lease).status()));
  faults.full = false;
  EXPECT_TRUE(store->RevokeLease(lease).ok());
  EXPECT_TRUE(store->ExpiredLeases()->empty());
}

TEST_F(SqliteFaultTest, AFailedSyncEndsTheProcess) {
  EXPECT_DEATH(
      {
        const auto store = MustOpen();
        faults.sync_fails = true;
        (void)Put(*store, "k/1");
      },
      "fsync of the registry's store failed");
}

TEST_F(SqliteFaultTest, AFailedSyncOfWhatTheWalGivesBackEndsTheProcess) {
  EXPECT_DEATH(
      {
        const auto store = MustOpen();
        faults.main_sync_fails = true;
        for (int i = 0; i < 100; ++i) (void)Put(*store, absl::StrCat("k/", i), 1'000'000);
      },
      "fsync of the registry's store failed");
}

TEST_F(SqliteFaultTest, AReadOnlyFileSaysWhatToCheck) {
  ASSERT_TRUE(Put(*MustOpen(), "k/1").ok());
  faults.read_only = true;
  const absl::Status status = SqliteStore::Open(path_).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
  EXPECT_THAT(std::string(status.message()), HasSubstr("writable by this user"));
}

TEST_F(SqliteFaultTest, AStoreWhoseWalWasDeletedIsAnOlderOneAndWhole) {
  std::string main;
  {
    const auto store = MustOpen();
    ASSERT_TRUE(Put(*store, "k/1").ok());
    std::filesystem::copy(path_, directory_.Path("without_wal.db"));
  }
  path_ = directory_.Path("without_wal.db");
  const auto store = MustOpen();
  EXPECT_EQ(Count(*store), 0u);
  EXPECT_EQ(store->revision(), 1) << "a store as it was, not a new file";
  EXPECT_TRUE(Put(*store, "k/1").ok());
}

TEST_F(SqliteFaultTest, PagesThatRotWhileItRunsAreNamed) {
  {
    const auto store = MustOpen();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(Put(*store, absl::StrCat("k/", i)).ok());
  }
  const auto store = MustOpen();
  FILE* file = fopen(path_.c_str(), "r+b");
  ASSERT_NE(file, nullptr);
  const std::string rot(4096 * 60, '\xa5');
  ASSERT_EQ(fseek(file, 4096 * 10, SEEK_SET), 0);
  ASSERT_EQ(fwrite(rot.data(), 1, rot.size(), file), rot.size());
  fclose(file);
  const auto range = store->Range({.range = KeyRange::Prefix("k")});
  ASSERT_TRUE(absl::IsDataLoss(range.status())) << range.status();
  EXPECT_THAT(std::string(range.status().message()),
              HasSubstr("restore the last backup with `pinion restore`"));
}

}  // namespace
}  // namespace pinion::store
