// Every bound of TLS, with its reason: of one connection's records and handshake, of the files of
// certificates, of sessions. How many handshakes may be under way is in limits.h.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace pinion::limits {

// RFC 8446 5.1: the most that one record holds.
inline constexpr size_t kTlsRecordBytes = 16 * 1024;
// Ciphertext that is written at once: four full records, on the stack.
inline constexpr size_t kTlsBatchBytes = 4 * kTlsRecordBytes + 4 * 1024;
// Ciphertext without a byte of data in it: key updates cost us more than the peer. An honest peer
// sends a session ticket or one key update, below 2 KiB.
inline constexpr size_t kTlsSilentBytesMax = 64 * 1024;
// Steps of handshakes in one turn of a worker. One with an RSA key takes a millisecond, so that
// callers who are connected wait a few for those who are not, however many come at once.
inline constexpr int kTlsHandshakesPerTurn = 8;
// A chain or a bundle; the CAs of all browsers are 0.25 MiB.
inline constexpr size_t kTlsFileBytesMax = 4 * 1024 * 1024;
// How long a client may resume: within a day's work; what a client's certificate proved is looked
// at again after it.
inline constexpr absl::Duration kTlsSessionLifetime = absl::Hours(12);
// Ticket keys: each seals for half a session's lifetime, and is understood until the last of its
// tickets is too old.
inline constexpr absl::Duration kTlsTicketRotation = absl::Hours(6);
inline constexpr size_t kTlsTicketKeysKept = 2;

// How soon a changed file is seen: a stat() for each, and soon enough that nobody waits for it.
inline constexpr absl::Duration kTlsLookInterval = absl::Seconds(5);
// Before its certificate expires, a connection is asked to go: time for the largest number of
// connections at the rate below, with some to spare.
inline constexpr absl::Duration kTlsDrainBefore = absl::Minutes(10);
// Of one worker and listener: the handshakes that come of it are a tenth of a core.
inline constexpr size_t kTlsDrainsPerSecond = 100;
// Earlier certificates of one listener that are told apart; one a day, with the largest connection
// age that makes sense. Beyond it the two oldest share the earlier expiry.
inline constexpr size_t kTlsEarlierMax = 16;

}  // namespace pinion::limits
