# cmake --install: headers, libraries, the package that find_package(cris) reads, the program, and what the build made for it
# in share/ (man pages, completions).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/cris)

foreach(layer ${layers})
  set(target cris_${layer})
  if(layer STREQUAL "cris")
    set(target cris_method)
  endif()
  install(TARGETS ${target} EXPORT cris COMPONENT library)
  # tensor/cpu, tensor/cuda and tensor/reference are known through tensor/backend.h alone, but for CUDA's recordings.
  install(DIRECTORY ${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cris COMPONENT library FILES_MATCHING PATTERN "*.h"
          PATTERN tensor/cpu EXCLUDE PATTERN tensor/reference EXCLUDE REGEX "tensor/cuda/.*" EXCLUDE)
endforeach()
install(FILES tensor/cuda/recording.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cris/tensor/cuda COMPONENT library)
install(EXPORT cris NAMESPACE cris:: FILE cris-targets.cmake DESTINATION ${package} COMPONENT library)
configure_package_config_file(cmake/cris-config.cmake.in cris-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(cris-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cris-config.cmake ${PROJECT_BINARY_DIR}/cris-config-version.cmake DESTINATION ${package}
        COMPONENT library)

if(CRIS_PROGRAM)
  set_target_properties(cris PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS cris COMPONENT program)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT program OPTIONAL)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
  include(cmake/package.cmake)
endif()
