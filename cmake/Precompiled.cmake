# Headers that many sources read, read once: the sets from which pinion_library and pinion_test take theirs (PRECOMPILED). Each is made
# twice, since tests are compiled without optimising and with GoogleTest. Only headers of others and generated ones, as everything is
# built anew when one changes. They save time and nothing else: a source includes what it uses, and the preset `clang` builds
# without them.

# pinion_precompiled(name HEADERS <a.h> … [DEPS targets …]): targets pinion_precompiled_<name> and pinion_precompiled_<name>_test.
function(pinion_precompiled name)
  cmake_parse_arguments(ARG "" "" "HEADERS;DEPS" ${ARGN})
  set(source ${CMAKE_BINARY_DIR}/precompiled.cc)
  file(TOUCH ${source})
  set(library pinion_precompiled_${name})
  set(test ${library}_test)
  add_library(${library} OBJECT EXCLUDE_FROM_ALL ${source})
  add_library(${test} OBJECT EXCLUDE_FROM_ALL ${source})
  target_link_libraries(${library} PRIVATE ${ARG_DEPS})
  target_link_libraries(${test} PRIVATE ${ARG_DEPS} GTest::gmock)
  target_compile_options(${test} PRIVATE ${PINION_TEST_OPTIONS})
  target_precompile_headers(${library} PRIVATE ${ARG_HEADERS})
  target_precompile_headers(${test} PRIVATE ${ARG_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
  if(PINION_CCACHE)
    set_target_properties(${library} ${test} PROPERTIES
      CXX_COMPILER_LAUNCHER "${CMAKE_SOURCE_DIR}/cmake/precompile.sh;${PINION_CCACHE}")
  endif()
endfunction()

set(common
  <algorithm> <cstddef> <cstdint> <functional> <map> <memory> <optional> <string> <utility> <vector>
  <absl/container/flat_hash_map.h> <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h>
  <absl/strings/str_join.h> <absl/strings/str_split.h> <absl/strings/string_view.h> <absl/time/time.h>)
pinion_precompiled(common HEADERS ${common})
# The registry's messages: a second and a half of reading for each source that names one.
pinion_precompiled(registry DEPS pinion_registry_protos HEADERS ${common}
  <pinion/registry/v1/access.pb.h> <pinion/registry/v1/audit.pb.h> <pinion/registry/v1/backup.pb.h>
  <pinion/registry/v1/records.pb.h> <pinion/registry/v1/registry.pb.h> <pinion/registry/v1/watch.pb.h>)
unset(common)
