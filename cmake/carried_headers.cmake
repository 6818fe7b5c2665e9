# The dependencies as headers in the folder CRIS_BARE, for machines that have a compiler but no packages.
include_directories(SYSTEM ${CRIS_BARE})
add_library(carried_headers INTERFACE)
target_include_directories(carried_headers SYSTEM INTERFACE ${CRIS_BARE})
add_library(nlohmann_json::nlohmann_json ALIAS carried_headers)
add_library(carried_fmt INTERFACE)
target_compile_definitions(carried_fmt INTERFACE FMT_HEADER_ONLY)
add_library(fmt::fmt ALIAS carried_fmt)
set(STB_INCLUDE_DIR ${CRIS_BARE}/stb)
