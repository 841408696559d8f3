// What is wrong with a registry's audit log, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "registry/model/audit_verifier.h"
#include "registry/service/operations.h"

namespace pinion::testing {

// The whole log as ReadAuditLog sends it.
inline std::vector<registry::v1::AuditLogPart> ReadLog(
    service::Registry& registry, const registry::v1::ReadAuditLogRequest& request = {}) {
  std::vector<registry::v1::AuditLogPart> parts;
  const absl::Status status = service::ReadAuditLog(
      registry, service::Caller{"ann"}, request, [&parts](const registry::v1::AuditLogPart& part) {
        parts.push_back(part);
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return parts;
}

// "word: message" of each finding.
inline std::vector<std::string> Findings(service::Registry& registry,
                                         const registry::v1::AuditLogState* exported = nullptr) {
  std::unique_ptr<model::AuditVerifier> verifier;
  for (const registry::v1::AuditLogPart& part : ReadLog(registry)) {
    if (part.has_begin()) {
      verifier = std::make_unique<model::AuditVerifier>(part.begin(), model::AuditExtent::kWhole);
      if (exported != nullptr) verifier->Expect(*exported);
    }
    for (const auto& entry : part.entries().entries()) verifier->Add(entry);
    if (part.has_end()) verifier->End(part.end());
  }
  std::vector<std::string> findings;
  for (const model::AuditFinding& finding : verifier->findings()) {
    findings.push_back(absl::StrCat(model::FindingWord(finding.kind), ": ", finding.message));
  }
  return findings;
}

}  // namespace pinion::testing
