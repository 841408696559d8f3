#include "dial/credentials.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/temp_directory.h"

namespace pinion::dial {
namespace {

using ::testing::HasSubstr;

TEST(CredentialsTest, TokensGoToOtherMachinesEncryptedOnly) {
  for (const char* local : {"127.0.0.1:8081", "[::1]:8081", "localhost:8081", "unix:/run/x"}) {
    EXPECT_TRUE(CheckCredentials(local, {.token = "t"}).ok()) << local;
  }
  EXPECT_THAT(CheckCredentials("registry:8081", {.token = "t"}).message(),
              HasSubstr("unencrypted"));
  EXPECT_TRUE(CheckCredentials("registry:8081", {.tls = true, .token = "t"}).ok());
  EXPECT_TRUE(CheckCredentials("registry:8081", {}).ok());
}

TEST(CredentialsTest, FilesAreReadBeforehand) {
  const testing::TempDirectory dir;
  const testing::CertificateAuthority ca;
  const net::TlsCertificateFiles own = ca.Issue(dir.path(), "own", {.dns = {"x"}});
  const std::string ca_file = ca.Write(dir.path(), "ca");
  EXPECT_TRUE(CheckCredentials("registry:8081", {.tls = true,
                                                 .trusted_ca = ca_file,
                                                 .certificate_chain = own.certificate_chain,
                                                 .private_key = own.private_key})
                  .ok());
  EXPECT_THAT(CheckCredentials("registry:8081", {.tls = true, .trusted_ca = dir.path() + "/none"})
                  .message(),
              HasSubstr("cannot be read: No such file"));
  EXPECT_THAT(
      CheckCredentials("registry:8081", {.tls = true, .trusted_ca = own.private_key}).message(),
      HasSubstr("holds no certificate"));
  EXPECT_THAT(
      CheckCredentials("registry:8081", {.tls = true, .certificate_chain = own.certificate_chain})
          .message(),
      HasSubstr("go together"));
  EXPECT_FALSE(CheckCredentials("registry:8081", {.tls = true, .trusted_ca = dir.path()}).ok())
      << "a directory";
}

TEST(CredentialsTest, ATokenFileHoldsOneWord) {
  const testing::TempDirectory dir;
  EXPECT_EQ(*ReadTokenFile(dir.Write("good", " pinion_12 \n")), "pinion_12");
  for (const char* bad : {"", "\n", "two words", "a\nb"}) {
    EXPECT_EQ(ReadTokenFile(dir.Write("bad", bad)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
  EXPECT_EQ(ReadTokenFile(dir.path() + "/none").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pinion::dial
