#include "examples/addressbook/testing/load.h"

#include <cstdlib>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace addressbook {
namespace {

constexpr int kWriters = 2;
constexpr int kReaders = 2;

std::string Describe(const Fields& fields) {
  return absl::StrCat("{", absl::StrJoin(fields, ", ", absl::PairFormatter("=")), "}");
}

Fields ContactFields(int contact, int n, Release release) {
  Fields fields = {{"id", ContactId(contact)}, {"name", ContactName(contact, n)}};
  const AddressLines lines = ContactLines(contact, n);
  if (release == k1) {
    fields["address"] = JoinAddress(lines);
  } else {
    fields["address_line1"] = lines.line1;
    fields["address_line2"] = lines.line2;
  }
  return fields;
}

// A server that goes away under a call. Whoever called it finds it gone from the world.
bool IsBeingStopped(const World& world, Release release,
                    const std::shared_ptr<const Caller>& caller, const grpc::Status& status) {
  return status.error_code() == grpc::UNAVAILABLE && world.caller(release) != caller;
}

}  // namespace

std::string ContactId(int contact) { return absl::StrCat("contact-", 100 + contact); }

std::string ContactName(int contact, int n) { return absl::StrCat("Name ", contact, " ", n); }

AddressLines ContactLines(int contact, int n) {
  AddressLines lines;
  lines.line1 = absl::StrCat(n, ", Street ", contact, ", Floor ", n);
  if (n % 3 == 1) lines.line2 = absl::StrCat("Town ", n);
  if (n % 3 == 2) lines.line2 = absl::StrCat("Town ", n, "\nCountry ", contact);
  return lines;
}

Book::Span Book::Get(int contact) const {
  absl::MutexLock lock(&mutex_);
  return spans_[contact];
}

int Book::Try(int contact) {
  absl::MutexLock lock(&mutex_);
  return ++spans_[contact].tried;
}

void Book::Stored(int contact, int n) {
  absl::MutexLock lock(&mutex_);
  spans_[contact].stored = n;
}

void Book::Fail(const std::string& what) {
  absl::MutexLock lock(&mutex_);
  if (failures_.size() < 5) failures_.push_back(what);
}

std::vector<std::string> Book::Failures() const {
  absl::MutexLock lock(&mutex_);
  return failures_;
}

void Book::Check(int contact, Span span, Release release, const Fields& answer) {
  for (int n = span.stored; n <= span.tried; ++n) {
    if (answer == ContactFields(contact, n, release)) return;
  }
  Fail(absl::StrCat(VersionOf(release), ": ", Describe(answer), " is none of the values ",
                    span.stored, " to ", span.tried));
}

void CheckContact(const World& world, Book& book, Release release, int contact) {
  const auto caller = world.caller(release);
  if (caller == nullptr) return;
  Book::Span span = book.Get(contact);
  const Answer answer = caller->Call("Get", {{{"id", ContactId(contact)}}});
  span.tried = book.Get(contact).tried;
  if (IsBeingStopped(world, release, caller, answer.status)) return;
  if (!answer.status.ok()) {
    return book.Fail(absl::StrCat(VersionOf(release), ": ", answer.status.error_message()));
  }
  book.Check(contact, span, release, GetFields(*answer.messages.at(0)));
}

void CheckList(const World& world, Book& book, Release release) {
  const auto caller = world.caller(release);
  if (caller == nullptr) return;
  Book::Span spans[kContacts];
  for (int i = 0; i < kContacts; ++i) spans[i] = book.Get(i);
  const Answer answer = caller->Call("List", {{}});
  if (IsBeingStopped(world, release, caller, answer.status)) return;
  if (!answer.status.ok() || answer.messages.size() != kContacts) {
    return book.Fail(absl::StrCat(VersionOf(release), " lists ", answer.messages.size(),
                                  " contacts: ", answer.status.error_message()));
  }
  for (int i = 0; i < kContacts; ++i) {
    spans[i].tried = book.Get(i).tried;
    book.Check(i, spans[i], release, GetFields(*answer.messages[i]));
  }
}

void WriteContact(const World& world, Book& book, Release release, int contact) {
  if (world.caller(release) == nullptr) return;
  const int n = book.Try(contact);
  // One of these runs at any time, so a value that the first did not take goes there.
  for (const Release to : {release, k1, k2_1}) {
    const auto caller = world.caller(to);
    if (caller == nullptr) continue;
    const Answer answer = caller->Call("Put", {ContactFields(contact, n, to)});
    if (answer.status.ok()) return book.Stored(contact, n);
    if (!IsBeingStopped(world, to, caller, answer.status)) {
      return book.Fail(absl::StrCat(VersionOf(to), ": ", answer.status.error_message()));
    }
  }
}

Load::Load(const World& world, Book& book)
    : world_(world), book_(book), rounds_(kWriters + kReaders) {
  for (int i = 0; i < kWriters; ++i) threads_.emplace_back(&Load::Write, this, i);
  for (int i = 0; i < kReaders; ++i) threads_.emplace_back(&Load::Read, this, i);
}

Load::~Load() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void Load::AwaitRounds() {
  absl::MutexLock lock(&mutex_);
  // The round in progress may have begun before.
  std::vector<int> goal = rounds_;
  for (int& rounds : goal) rounds += 2;
  const auto reached = [this, &goal]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (size_t i = 0; i < goal.size(); ++i) {
      if (rounds_[i] < goal[i]) return false;
    }
    return true;
  };
  mutex_.Await(absl::Condition(&reached));
}

bool Load::EndRound(int thread) {
  absl::MutexLock lock(&mutex_);
  ++rounds_[thread];
  return !stopped_;
}

// Each contact has one writer, which takes turns between the versions.
void Load::Write(int writer) {
  std::minstd_rand random(static_cast<unsigned>(writer + 1));
  do {
    for (const Release release : kReleases) {
      const int contact = static_cast<int>(random() % (kContacts / kWriters));
      WriteContact(world_, book_, release, contact * kWriters + writer);
    }
  } while (EndRound(writer));
}

void Load::Read(int reader) {
  std::minstd_rand random(static_cast<unsigned>(reader + 11));
  do {
    for (const Release release : kReleases) {
      CheckContact(world_, book_, release, static_cast<int>(random() % kContacts));
      if (random() % 8 == 0) CheckList(world_, book_, release);
    }
  } while (EndRound(kWriters + reader));
}

}  // namespace addressbook
