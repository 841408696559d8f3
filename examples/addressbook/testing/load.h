// Load on whichever versions run, and what every contact may say at any moment.
//
// The n-th value of a contact is a function of its id and n, so whatever a version answers tells
// which n it shows. Before a value is written it is `tried`, after the acknowledgement it is
// `stored`. A read is right when it shows a whole value between what was stored before the read
// began and what was tried before it ended: anything older is a lost write, anything else a wrong
// one.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "examples/addressbook/client/schema.h"
#include "examples/addressbook/db/address_lines.h"
#include "examples/addressbook/testing/world.h"

namespace addressbook {

inline constexpr int kContacts = 40;

std::string ContactId(int contact);
std::string ContactName(int contact, int n);
AddressLines ContactLines(int contact, int n);

// Thread-safe.
class Book {
 public:
  struct Span {
    int stored;
    int tried;
  };

  Span Get(int contact) const;
  // Begins to write the next value, and returns its n.
  int Try(int contact);
  void Stored(int contact, int n);

  void Fail(const std::string& what);
  std::vector<std::string> Failures() const;

  // Fails unless the answer shows a value of this contact within the span.
  void Check(int contact, Span span, Release release, const Fields& answer);

 private:
  mutable absl::Mutex mutex_;
  Span spans_[kContacts] ABSL_GUARDED_BY(mutex_) = {};
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

// Reads one contact from one version and checks it.
void CheckContact(const World& world, Book& book, Release release, int contact);

// Reads the version's list and checks that it holds every contact once, each with a right value.
void CheckList(const World& world, Book& book, Release release);

// Writes the contact's next value. UNAVAILABLE from a server that is being stopped is no failure:
// the value is tried again on another.
void WriteContact(const World& world, Book& book, Release release, int contact);

// Two writing and two reading threads, until destroyed.
class Load {
 public:
  Load(const World& world, Book& book);
  ~Load();

  // Waits until every thread has ended a call to each running version that began after this did.
  void AwaitRounds() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Write(int writer);
  void Read(int reader);
  bool EndRound(int thread) ABSL_LOCKS_EXCLUDED(mutex_);

  const World& world_;
  Book& book_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<int> rounds_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace addressbook
