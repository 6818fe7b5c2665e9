# cmake --install: headers, libraries, the package that find_package(cris) reads, the program, its manual pages
# and completions.
include(CMakePackageConfigHelpers)
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
  # The program writes its own manual pages and completions, where it runs on the machine that builds it.
  set(share ${PROJECT_BINARY_DIR}/share)
  if(NOT CMAKE_CROSSCOMPILING)
    install(CODE "set(cris_program \"$<TARGET_FILE:cris>\")\nset(cris_share \"${share}\")" COMPONENT program)
    install(CODE [[
      file(MAKE_DIRECTORY ${cris_share}/man/man1)
      execute_process(COMMAND ${cris_program} man ${cris_share}/man/man1 COMMAND_ERROR_IS_FATAL ANY)
      foreach(completion bash:bash-completion/completions/cris zsh:zsh/vendor-completions/_cris
                         fish:fish/vendor_completions.d/cris.fish)
        string(REPLACE ":" ";" completion ${completion})
        list(GET completion 0 shell)
        list(GET completion 1 file)
        execute_process(COMMAND ${cris_program} complete ${shell} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
        file(WRITE ${cris_share}/${file} "${text}")
      endforeach()]] COMPONENT program)
  endif()
  install(DIRECTORY ${share}/ DESTINATION ${CMAKE_INSTALL_DATADIR} COMPONENT program OPTIONAL)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
  if(NOT BUILD_SHARED_LIBS)  # the program's package holds the program alone
    include(cmake/package.cmake)
  endif()
endif()
