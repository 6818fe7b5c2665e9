include(GNUInstallDirs)

# A library of the project: the target cris_NAME, known to everyone as cris::NAME. Who links it gets its headers and C++20.
function(cris_layer name)
  add_library(cris_${name} ${ARGN})
  add_library(cris::${name} ALIAS cris_${name})
  target_compile_features(cris_${name} PUBLIC cxx_std_20)
  target_include_directories(cris_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                 $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/cris>)
  set_target_properties(cris_${name} PROPERTIES EXPORT_NAME ${name} VERSION ${PROJECT_VERSION}
                                                SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(NOT PROJECT_IS_TOP_LEVEL)
    set_target_properties(cris_${name} PROPERTIES EXCLUDE_FROM_ALL ON)  # built where something links it
  endif()
endfunction()
