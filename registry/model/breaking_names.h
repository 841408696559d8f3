// Which names of versions say that something breaks. Pure.
#pragma once

#include <string>

#include "registry/version/version_name.h"

namespace pinion::model {

// Whether whoever moves from `older` to `newer` is told by the names that it may break:
//   SEMVER   another major; under 0 another minor, under 0.0 another patch: where npm's ^ ends.
//            Of a prerelease nothing was promised.
//   DATE     another date. Trains of one date are one API.
//   K8S      another name: each is an API of its own.
//   INTEGER  another number, as there is nothing else to say it with.
// REQUIRES: of one scheme.
bool NamesDeclareBreak(const version::VersionName& older, const version::VersionName& newer);

// A name for a version that breaks `older`: "2.0.0", or what to do in words.
std::string BreakingNameAfter(const version::VersionName& older);

}  // namespace pinion::model
