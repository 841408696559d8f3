#include "registry/access/subject.h"

#include <string>

#include "gtest/gtest.h"

namespace pinion::access {
namespace {

TEST(SubjectTest, WhatCanBeGrantedTo) {
  for (const char* good :
       {"spiffe://acme/billing", "dns:billing.acme", "dns:*.acme", "jwt:https://issuer#alice",
        "jwt:issuer#a#b c", "group:https://issuer#Payments Devs", "token:ci/payments"}) {
    EXPECT_TRUE(ValidateSubject(good).ok()) << good << ValidateSubject(good);
  }
  for (const char* bad : {"", "alice", "spiffe://", "SPIFFE://acme/x", "dns:", "dns:Billing.acme",
                          "dns:a b", "jwt:issuer", "jwt:#alice", "jwt:issuer#", "group:x",
                          "token:", "token:A B", "local", "spiffe://acme/\n", "jwt:i#a\tb"}) {
    EXPECT_EQ(ValidateSubject(bad).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_FALSE(ValidateSubject("spiffe://" + std::string(kMaxSubjectBytes, 'a')).ok());
  EXPECT_FALSE(ValidateSubject("spiffe://acme/\xff").ok()) << "no UTF-8";
  EXPECT_FALSE(ValidateSubject(std::string("spiffe://acme/a\0b", 17)).ok());
}

TEST(SubjectTest, IdentitiesOfConsumers) {
  EXPECT_EQ(IdentityOf("spiffe://acme/billing")->spiffe_uri(), "spiffe://acme/billing");
  EXPECT_EQ(IdentityOf("dns:billing.acme")->dns_san(), "billing.acme");
  const auto jwt = IdentityOf(JwtSubject("https://issuer", "a#b"));
  EXPECT_EQ(jwt->jwt().issuer(), "https://issuer");
  EXPECT_EQ(jwt->jwt().subject(), "a#b");
  for (const std::string& none : {GroupSubject("i", "g"), TokenSubject("ci"),
                                  std::string(kLocalSubject), std::string("jwt:x")}) {
    EXPECT_FALSE(IdentityOf(none).has_value()) << none;
  }
}

}  // namespace
}  // namespace pinion::access
