// The table of the rules of WIRE and WIRE_JSON: find a rule here, then its check by the same name.
#include <array>

#include "registry/compat/advice.h"
#include "registry/compat/element_rules.h"
#include "registry/compat/rule.h"

namespace pinion::compat {
namespace {

constexpr unsigned kBoth = kWire | kWireJson;

constexpr absl::string_view kReserveNumber =
    "keep it, or reserve its number when nobody sends or reads it any more";
constexpr absl::string_view kReserveName =
    "keep it, or reserve its name when nobody sends or reads it any more";
constexpr absl::string_view kKeepName =
    "keep the name, or add a new one beside it and move clients over";
constexpr absl::string_view kKeepJson = "take back the json_format, or what made it necessary";

constexpr auto kRules = std::to_array<Rule>({
    {"ENUM_SAME_JSON_FORMAT", kWireJson, kKeepJson, EnumSameJsonFormat},
    {"ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", kWireJson, kReserveName,
     EnumValueNoDeleteUnlessNameReserved},
    {"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", kBoth, kReserveNumber,
     EnumValueNoDeleteUnlessNumberReserved},
    {"ENUM_VALUE_SAME_NAME", kWireJson, "keep the old name as an alias (allow_alias)",
     EnumValueSameName},
    {"FIELD_NO_DELETE_UNLESS_NAME_RESERVED", kWireJson, kReserveName,
     FieldNoDeleteUnlessNameReserved},
    {"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", kBoth, kReserveNumber,
     FieldNoDeleteUnlessNumberReserved},
    {"FIELD_SAME_DEFAULT", kBoth, kKeepDefault, FieldSameDefault},
    {"FIELD_SAME_JSON_NAME", kWireJson, "keep the name with [json_name = \"…\"]",
     FieldSameJsonName},
    {"FIELD_SAME_NAME", kWireJson, kKeepName, FieldSameName},
    {"FIELD_SAME_ONEOF", kBoth, kNewField, FieldSameOneof},
    {"FIELD_WIRE_COMPATIBLE_CARDINALITY", kWire, kNewField, FieldWireCompatibleCardinality},
    {"FIELD_WIRE_COMPATIBLE_TYPE", kWire, kNewField, FieldWireCompatibleType},
    {"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", kWireJson, kNewField,
     FieldWireJsonCompatibleCardinality},
    {"FIELD_WIRE_JSON_COMPATIBLE_TYPE", kWireJson, kNewField, FieldWireJsonCompatibleType},
    {"FILE_SAME_PACKAGE", kBoth, "keep the package, and put the new one into a file of its own",
     FileSamePackage},
    {"MESSAGE_SAME_JSON_FORMAT", kWireJson, kKeepJson, MessageSameJsonFormat},
    {"MESSAGE_SAME_REQUIRED_FIELDS", kBoth, kKeepRequired, MessageSameRequiredFields},
    {"RESERVED_ENUM_NO_DELETE", kBoth, kKeepReserved, ReservedEnumNoDelete},
    {"RESERVED_MESSAGE_NO_DELETE", kBoth, kKeepReserved, ReservedMessageNoDelete},
    {"RPC_SAME_CLIENT_STREAMING", kBoth, kNewMethod, RpcSameClientStreaming},
    {"RPC_SAME_IDEMPOTENCY_LEVEL", kBoth, kKeepLevel, RpcSameIdempotencyLevel},
    {"RPC_SAME_REQUEST_TYPE", kBoth, kNewMethod, RpcSameRequestType},
    {"RPC_SAME_RESPONSE_TYPE", kBoth, kNewMethod, RpcSameResponseType},
    {"RPC_SAME_SERVER_STREAMING", kBoth, kNewMethod, RpcSameServerStreaming},
});

}  // namespace

absl::Span<const Rule> StandardRules() { return kRules; }

}  // namespace pinion::compat
