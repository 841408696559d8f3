#include "gateway/net/tls_files.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/temp_directory.h"

namespace pinion::net {
namespace {

class TlsFilesTest : public ::testing::Test {
 protected:
  testing::TempDirectory dir_;
  testing::CertificateAuthority ca_;
  const TlsCertificateFiles good_ = ca_.Issue(dir_.path(), "good", {.dns = {"a.test"}});
};

TEST_F(TlsFilesTest, GoodFilesAreGood) {
  EXPECT_TRUE(CheckCertificates(good_.certificate_chain).ok());
  EXPECT_TRUE(CheckPrivateKey(good_).ok());
  EXPECT_TRUE(CheckCertificates(ca_.Write(dir_.path(), "ca")).ok());
  const auto rsa = ca_.Issue(dir_.path(), "rsa", {.rsa = true});
  EXPECT_TRUE(CheckPrivateKey(rsa).ok());
}

TEST_F(TlsFilesTest, EachErrorNamesTheFileAndWhatIsWrong) {
  const auto other = ca_.Issue(dir_.path(), "other", {});
  const std::string missing = dir_.path() + "/missing.pem";
  const std::string empty = dir_.Write("empty.pem", "");
  const std::string text = testing::ReadFile(good_.certificate_chain);
  const std::string cut = dir_.Write("cut.pem", text + text.substr(0, text.size() / 2));
  std::string flipped_text = text;
  flipped_text[text.size() / 2] ^= 1;
  const std::string broken =
      dir_.Write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const std::string encrypted =
      dir_.Write("encrypted.key",
                 "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                 "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBDW4b8EZbHQ7FrG3mXf\n"
                 "dRlqAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQkx6M8X6Hq0h2uFq6\n"
                 "o2rVRgRAF6cv0dXq5FqGmG4f6wC5+6CkGZ3cJq1rW5hG2mQdYcW2o8mC7qWw0i9T\n"
                 "4m9kqXlq1v0b9w3J6w6v1l0lqk1m5w==\n"
                 "-----END ENCRYPTED PRIVATE KEY-----\n");
  const struct {
    absl::Status status;
    const char* file;
    const char* what;
  } cases[] = {
      {CheckCertificates(missing), "missing.pem", "No such file"},
      {CheckCertificates(""), "", "name of a PEM file is missing"},
      {CheckCertificates(empty), "empty.pem", "holds no PEM certificate"},
      {CheckCertificates(good_.private_key), "good.key", "holds no PEM certificate"},
      {CheckCertificates(broken), "broken.pem", "certificate 1 in this file is broken"},
      {CheckCertificates(cut), "cut.pem", "certificate 2 in this file is broken"},
      {CheckCertificates(dir_.path()), "", "cannot be read"},
      {CheckPrivateKey({good_.certificate_chain, missing}), "missing.pem", "No such file"},
      {CheckPrivateKey({good_.certificate_chain, good_.certificate_chain}), "good.crt",
       "holds no PEM private key"},
      {CheckPrivateKey({good_.certificate_chain, other.private_key}), "other.key",
       "does not belong to the first certificate in"},
      {CheckPrivateKey({good_.certificate_chain, encrypted}), "encrypted.key", "encrypted"},
  };
  for (const auto& each : cases) {
    EXPECT_FALSE(each.status.ok()) << each.what;
    EXPECT_TRUE(absl::StrContains(each.status.message(), each.file)) << each.status;
    EXPECT_TRUE(absl::StrContains(each.status.message(), each.what)) << each.status;
  }
}

TEST_F(TlsFilesTest, AnExpiredCertificateIsAWarning) {
  const auto expired = ca_.Issue(dir_.path(), "expired", {.valid = -absl::Hours(2)});
  EXPECT_TRUE(CheckCertificates(expired.certificate_chain).ok());
  const absl::Time expiry = *CertificateExpiry(expired.certificate_chain);
  const std::string warning =
      CertificateWarning(expired.certificate_chain, expiry + absl::Seconds(1));
  EXPECT_TRUE(absl::StrContains(warning, "expired.crt: the certificate has expired on")) << warning;
  EXPECT_EQ(CertificateWarning(expired.certificate_chain, expiry - absl::Seconds(1)), "");
  EXPECT_EQ(CertificateWarning(dir_.path() + "/missing", expiry), "") << "an error, said elsewhere";
}

}  // namespace
}  // namespace pinion::net
