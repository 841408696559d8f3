include(CMakeFindDependencyMacro)
find_dependency(PkgConfig)
pkg_check_modules(PINION_GRPC REQUIRED IMPORTED_TARGET grpc++ protobuf)
include(${CMAKE_CURRENT_LIST_DIR}/pinion-clientTargets.cmake)
