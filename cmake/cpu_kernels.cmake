# The kernels of the cpu, one source, compiled once for each level of processor; the program takes the best that its
# processor has (tensor/cpu_kernels.h). The levels come best first.
if(CRIS_NATIVE)
  set(CRIS_CPU_LEVELS native)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(CRIS_CPU_LEVELS x86-64-v4 x86-64-v3 x86-64)
else()
  set(CRIS_CPU_LEVELS ${CMAKE_SYSTEM_PROCESSOR})
endif()

# Adds to `target` the objects of `objects`, joined to one in which only the symbol `name` is visible. Whatever else the
# compiler made of headers there (inline functions, templates) stays within: the linker keeps one copy of such a function
# for the whole program, and a copy that was compiled for a larger processor must not become that one.
function(_cris_add_joined target objects name)
  set(joined ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(
    OUTPUT ${joined}
    COMMAND ${CMAKE_CXX_COMPILER} -nostdlib -r -Wl,--force-group-allocation -o ${joined} $<TARGET_OBJECTS:${objects}>
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=${name} ${joined}
    DEPENDS ${objects} $<TARGET_OBJECTS:${objects}>
    COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties(${joined} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  target_sources(${target} PRIVATE ${joined})
endfunction()

# Adds `sources` to `target`, compiled with the options that follow, once for each level. They define the data or function
# CRIS_CPU_KERNELS, a macro: cris_cpu_LEVEL, with C's linkage.
function(cris_add_cpu_kernels target sources)
  set(names)
  foreach(level ${CRIS_CPU_LEVELS})
    string(MAKE_C_IDENTIFIER cris_cpu_${level} name)
    add_library(${name} OBJECT ${sources})
    list(APPEND names ${name})
    target_compile_features(${name} PRIVATE cxx_std_20)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE fmt::fmt)
    # -fno-gnu-unique: symbols of that kind could not be kept within; nor could those of link-time optimisation.
    target_compile_options(${name} PRIVATE ${ARGN} -fno-lto $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
    target_compile_definitions(${name} PRIVATE CRIS_CPU_KERNELS=${name} CRIS_CPU_LEVEL="${level}")
    # A source alone: what the compiler fuses, and with it the last bits, does not depend on its neighbours.
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
    if(BUILD_SHARED_LIBS)
      set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
    if(CRIS_NATIVE OR level MATCHES "-v[34]$")
      target_compile_options(${name} PRIVATE -march=${level})
    endif()
    _cris_add_joined(${target} ${name} ${name})
  endforeach()
  list(JOIN names "," all)
  target_compile_definitions(${target} PRIVATE "CRIS_ALL_CPU_KERNELS=${all}")
endfunction()
