// The checks of the standard rules, named like the rules. What each compares is said by
// https://buf.build/docs/breaking/rules/; where the text is silent, buf's own behaviour decides.
#pragma once

#include "registry/compat/rule.h"

namespace pinion::compat {

// file_rules.cc
void FileSamePackage(const Pair<File>& pair, Reporter& report);

// message_rules.cc
void MessageSameRequiredFields(const Pair<Message>& pair, Reporter& report);
void MessageSameJsonFormat(const Pair<Message>& pair, Reporter& report);
void ReservedMessageNoDelete(const Pair<Message>& pair, Reporter& report);
void FieldNoDeleteUnlessNumberReserved(const Pair<Message>& pair, Reporter& report);
void FieldNoDeleteUnlessNameReserved(const Pair<Message>& pair, Reporter& report);

// field_rules.cc
void FieldSameDefault(const Pair<Field>& pair, Reporter& report);
void FieldSameOneof(const Pair<Field>& pair, Reporter& report);
void FieldSameName(const Pair<Field>& pair, Reporter& report);
void FieldSameJsonName(const Pair<Field>& pair, Reporter& report);
void FieldWireCompatibleCardinality(const Pair<Field>& pair, Reporter& report);
void FieldWireJsonCompatibleCardinality(const Pair<Field>& pair, Reporter& report);
void FieldWireCompatibleType(const Pair<Field>& pair, Reporter& report);
void FieldWireJsonCompatibleType(const Pair<Field>& pair, Reporter& report);

// enum_rules.cc
void EnumSameJsonFormat(const Pair<Enum>& pair, Reporter& report);
void EnumValueSameName(const Pair<Enum>& pair, Reporter& report);
void EnumValueNoDeleteUnlessNumberReserved(const Pair<Enum>& pair, Reporter& report);
void EnumValueNoDeleteUnlessNameReserved(const Pair<Enum>& pair, Reporter& report);
void ReservedEnumNoDelete(const Pair<Enum>& pair, Reporter& report);

// method_rules.cc
void RpcSameClientStreaming(const Pair<Method>& pair, Reporter& report);
void RpcSameServerStreaming(const Pair<Method>& pair, Reporter& report);
void RpcSameIdempotencyLevel(const Pair<Method>& pair, Reporter& report);
void RpcSameRequestType(const Pair<Method>& pair, Reporter& report);
void RpcSameResponseType(const Pair<Method>& pair, Reporter& report);

}  // namespace pinion::compat
