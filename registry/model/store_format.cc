#include "registry/model/store_format.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using registry::v1::StoreFormat;

absl::Status Unknown(absl::string_view message, int32_t format) {
  return Refusal(absl::StatusCode::kFailedPrecondition, "STORE_FORMAT_UNKNOWN", message,
                 {{"format", absl::StrCat(format)}});
}

}  // namespace

StoreFormat FormatOfNewStores() {
  StoreFormat format;
  format.set_format(kStoreFormat);
  format.set_readable_by(kStoreFormat - 1);
  return format;
}

StoreFormat FormatWithoutRecord() {
  StoreFormat format;
  format.set_format(1);
  format.set_readable_by(1);
  return format;
}

absl::Status CheckReadable(const StoreFormat& format) {
  if (format.readable_by() <= kStoreFormat) return absl::OkStatus();
  return Unknown(absl::StrCat("the registry's store has format ", format.format(),
                              ", which programs of format ", format.readable_by(),
                              " and above can work with, and this one is of format ", kStoreFormat,
                              ": run a newer pinion"),
                 format.format());
}

absl::StatusOr<StoreFormat> Migrated(const StoreFormat& format,
                                     const registry::v1::MigrateStoreRequest& request) {
  if (request.to() > kStoreFormat) {
    return Unknown(absl::StrCat("this registry knows formats up to ", kStoreFormat, ", not ",
                                request.to(), ": run a newer pinion everywhere, then migrate"),
                   request.to());
  }
  if (request.to() < format.format()) {
    return Unknown(absl::StrCat("the store has format ", format.format(),
                                " and does not go back to ", request.to(),
                                ": an older pinion works with it as it is, if it is "
                                "of format ",
                                format.readable_by(), " or above"),
                   request.to());
  }
  StoreFormat migrated = format;
  migrated.set_format(request.to());
  // One step at a time keeps the programs of the format before.
  const int32_t oldest = request.contract() ? request.to() : request.to() - 1;
  migrated.set_readable_by(std::max(format.readable_by(), oldest));
  return migrated;
}

}  // namespace pinion::model
