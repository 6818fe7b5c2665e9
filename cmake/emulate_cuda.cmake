# Adds the CUDA backend to a target as plain C++: tests/cuda_emulator stands in for the toolkit.
# Fortified longjmp takes a switch of stacks for an error.
function(emulate_cuda target)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tensor/cuda/*.cpp)
  list(FILTER sources EXCLUDE REGEX "absent.cpp$")
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tensor/cuda/*.cu)
  set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++;-Wno-unknown-pragmas;-U_FORTIFY_SOURCE")
  target_sources(${target} PRIVATE ${sources} ${kernels})
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tensor/cuda/runtime.cpp PROPERTIES COMPILE_DEFINITIONS
                                                                             CRIS_CUDA_CODE="the emulator")
  target_include_directories(${target} BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/tests/cuda_emulator)
endfunction()
