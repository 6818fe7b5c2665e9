# The CUDA backend (tensor/cuda without absent.cpp) as part of a target. In a program that links the library `tensor` too,
# it takes the place of the library's absent.cpp.
function(_cuda_backend_sources sources kernels)
  file(GLOB cpp CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tensor/cuda/*.cpp)
  list(FILTER cpp EXCLUDE REGEX "absent.cpp$")
  file(GLOB cu CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tensor/cuda/*.cu)
  set(${sources} ${cpp} PARENT_SCOPE)
  set(${kernels} ${cu} PARENT_SCOPE)
endfunction()

# Compiled by nvcc.
function(compile_cuda_backend target)
  _cuda_backend_sources(sources kernels)
  target_sources(${target} PRIVATE ${sources} ${kernels})
  string(REPLACE ";" " " code "${CMAKE_CUDA_ARCHITECTURES}")
  target_compile_definitions(${target} PRIVATE "CRIS_CUDA_CODE=\"${code}\"")
  # fmt 9 believes that nvcc knows no constexpr, and then fails to check the formats of messages.
  # A kernel that spills its registers to memory has lost its speed: it is named, and in the project's own test it stops
  # the build, but not where another compiler needs a few registers more.
  set_source_files_properties(${kernels} PROPERTIES COMPILE_OPTIONS "-Xptxas=-warn-spills$<$<BOOL:${CRIS_CUDA_STRICT}>:,-Werror>"
                                         COMPILE_DEFINITIONS FMT_USE_CONSTEXPR=1)
  find_package(CUDAToolkit REQUIRED)
  target_compile_definitions(${target} PRIVATE "CRIS_CUDA_LIBRARIES=\"${CUDAToolkit_LIBRARY_DIR}\"")
  target_link_libraries(${target} PRIVATE CUDA::cudart_static ${CMAKE_DL_LIBS})
endfunction()

# Compiled as plain C++: tests/cuda_emulator stands in for the toolkit. Fortified longjmp takes a switch of stacks for an
# error.
function(emulate_cuda_backend target)
  _cuda_backend_sources(sources kernels)
  target_sources(${target} PRIVATE ${sources} ${kernels})
  set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS
                                                    "-x;c++;-Wno-unknown-pragmas;-U_FORTIFY_SOURCE")
  target_compile_definitions(${target} PRIVATE CRIS_CUDA_CODE="the emulator" CRIS_CUDA_EMULATOR)
  target_include_directories(${target} BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/tests/cuda_emulator)
endfunction()

# Compiled by nvcc to the PTX that users get, which tests/ptx executes on the host in the place of the CUDA libraries.
find_program(CRIS_NVCC nvcc HINTS /usr/local/cuda/bin DOC "For the tests of nvcc's PTX; they are left out without it")
function(execute_cuda_backend target)
  _cuda_backend_sources(sources kernels)
  foreach(kernel ${kernels})
    get_filename_component(name ${kernel} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/ptx/${name}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/ptx
      COMMAND ${CRIS_NVCC} -std=c++20 -O3 -I${PROJECT_SOURCE_DIR} -DFMT_USE_CONSTEXPR=1 -no-compress -Xcompiler=-fPIE
              -gencode arch=compute_90,code=compute_90 -MD -MF ${object}.d -MT ${object} -c -o ${object} ${kernel}
      DEPENDS ${kernel} DEPFILE ${object}.d
      COMMENT "Compiling ${name}.cu to PTX")
    list(APPEND objects ${object})
  endforeach()
  target_sources(${target} PRIVATE ${sources} ${objects})
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  target_compile_definitions(${target} PRIVATE CRIS_CUDA_CODE="the PTX executor")
  target_link_libraries(${target} PRIVATE ptx_executor)
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)  # so that the backend finds cuBLAS in it
endfunction()
