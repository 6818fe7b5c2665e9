# Writes OUTPUT, a header with the commit that SOURCE is at, where it says something else by now. cmake -P, with every build.
cmake_minimum_required(VERSION 3.25)
set(commit unknown)
execute_process(COMMAND git -C ${SOURCE} rev-parse --show-toplevel --short=12 HEAD OUTPUT_VARIABLE lines ERROR_QUIET
                OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
string(REPLACE "\n" ";" lines "${lines}")
list(LENGTH lines count)
if(failed EQUAL 0 AND count EQUAL 2)
  list(GET lines 0 top)
  file(REAL_PATH ${SOURCE} source)
  if(top STREQUAL source)  # a copy within another repository is not at that one's commit
    list(GET lines 1 commit)
    execute_process(COMMAND git -C ${SOURCE} diff --quiet HEAD RESULT_VARIABLE changed ERROR_QUIET)
    if(NOT changed EQUAL 0)
      string(APPEND commit "-modified")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define CRIS_COMMIT \"@commit@\"\n" @ONLY)
