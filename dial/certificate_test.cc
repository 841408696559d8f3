#include "dial/certificate.h"

#include <string>

#include "absl/strings/ascii.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/temp_directory.h"

namespace pinion::dial {
namespace {

using testing::CertificateAuthority;
using testing::ReadFile;
using testing::TempDirectory;

TEST(CertificateTest, SaysWhyAClientWouldNotTakeIt) {
  const TempDirectory directory;
  const CertificateAuthority ours("Ours");
  const CertificateAuthority other("Other");
  const std::string trusted = ours.Write(directory.path(), "ours");
  const auto issued = [&directory](const CertificateAuthority& authority, absl::Duration valid) {
    return ReadFile(authority
                        .Issue(directory.path(), "server",
                               {.dns = {"registry.acme"}, .ips = {"127.0.0.1"}, .valid = valid})
                        .certificate_chain);
  };
  const std::string good = issued(ours, absl::Hours(24));
  const absl::StatusOr<absl::Time> expiry = ExpiryOf(good);
  ASSERT_TRUE(expiry.ok()) << expiry.status();
  const absl::Time now = *expiry - absl::Hours(2);
  struct Case {
    std::string chain;
    std::string name;
    absl::Time now;
    const char* why;
  };
  for (const Case& c : {
           Case{good, "registry.acme", now, ""},
           Case{good, "127.0.0.1", now, ""},
           Case{good, "registry.other", now, "hostname mismatch"},
           Case{good, "10.0.0.1", now, "IP address mismatch"},
           Case{good, "registry.acme", *expiry + absl::Seconds(1), "certificate has expired"},
           Case{good, "registry.acme", *expiry - absl::Hours(48), "certificate is not yet valid"},
           Case{issued(other, absl::Hours(24)), "registry.acme", now,
                "unable to get local issuer certificate"},
       }) {
    const absl::StatusOr<std::string> why = WhyNotTrusted(c.chain, trusted, c.name, c.now);
    ASSERT_TRUE(why.ok()) << why.status();
    EXPECT_EQ(absl::AsciiStrToLower(*why), absl::AsciiStrToLower(c.why));
  }
  EXPECT_NE(*WhyNotTrusted(good, "", "registry.acme", now), "") << "the system trusts no test";
  EXPECT_FALSE(WhyNotTrusted("none", trusted, "registry.acme", now).ok());
  EXPECT_FALSE(WhyNotTrusted(good, directory.path() + "/none", "registry.acme", now).ok());
}

}  // namespace
}  // namespace pinion::dial
