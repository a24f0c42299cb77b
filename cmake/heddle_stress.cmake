# heddle_add_stress(NAME name TARGET target [ARGS argument...] [SCHEDULES n] [BUDGET seconds] [TOOL tool]
#                   [OPTIONS option...]): a CTest that runs the target under `heddle run`.
#
# It fails when Heddle finds something; the report, with the line that replays it, is the test's output,
# and the schedule is kept in NAME.heddle of the build folder. SCHEDULES: 500; BUDGET: 60 seconds, after
# which no further schedule is tried; TOOL: heddle, tsan, helgrind or drd; OPTIONS: any others of
# `heddle run`. All such tests bear the label "stress".
#
# Heddle::test, when it is there: hd_explore() and hd_unit_test() (heddle/test.h), hd_linear() (heddle/linear.h), for test
# programs. The runtime comes first, before the hooks of heddle_instrument(), which have functions of the same names.
if(NOT TARGET Heddle::test AND NOT TARGET heddle-test)
  find_library(HEDDLE_TEST_LIBRARY heddle-test HINTS ${CMAKE_CURRENT_LIST_DIR}/../.. ${CMAKE_CURRENT_LIST_DIR}/../../..)
  find_library(HEDDLE_RT_LIBRARY heddle-rt HINTS ${CMAKE_CURRENT_LIST_DIR}/../.. ${CMAKE_CURRENT_LIST_DIR}/../../..)
  if(HEDDLE_TEST_LIBRARY AND HEDDLE_RT_LIBRARY)
    add_library(Heddle::test UNKNOWN IMPORTED)
    set_target_properties(Heddle::test PROPERTIES IMPORTED_LOCATION ${HEDDLE_TEST_LIBRARY}
      INTERFACE_LINK_LIBRARIES "Heddle::heddle;${HEDDLE_RT_LIBRARY}"
      INTERFACE_LINK_OPTIONS "SHELL:-Wl,--push-state,--no-as-needed ${HEDDLE_RT_LIBRARY} -Wl,--pop-state")
  endif()
endif()

function(heddle_add_stress)
  cmake_parse_arguments(PARSE_ARGV 0 stress "" "NAME;TARGET;SCHEDULES;BUDGET;TOOL" "ARGS;OPTIONS")
  if(stress_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "heddle_add_stress: what is '${stress_UNPARSED_ARGUMENTS}'?")
  endif()
  if(NOT stress_NAME OR NOT stress_TARGET)
    message(FATAL_ERROR "heddle_add_stress: NAME and TARGET are needed")
  endif()
  if(NOT TARGET ${stress_TARGET})
    message(FATAL_ERROR "heddle_add_stress: '${stress_TARGET}' is not a target")
  endif()
  if(NOT stress_SCHEDULES)
    set(stress_SCHEDULES 500)
  endif()
  if(NOT stress_BUDGET)
    set(stress_BUDGET 60)
  endif()
  if(TARGET heddle_command)
    set(heddle $<TARGET_FILE:heddle_command>)
  else()
    find_program(HEDDLE_COMMAND heddle HINTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin
      ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../../bin REQUIRED)
    set(heddle ${HEDDLE_COMMAND})
  endif()
  if(stress_TOOL)
    list(APPEND stress_OPTIONS --tool ${stress_TOOL})
  endif()
  add_test(NAME ${stress_NAME} COMMAND ${heddle} run -q -n ${stress_SCHEDULES} --time ${stress_BUDGET}s
    -o ${CMAKE_CURRENT_BINARY_DIR}/${stress_NAME}.heddle ${stress_OPTIONS} -- $<TARGET_FILE:${stress_TARGET}> ${stress_ARGS})
  math(EXPR limit "${stress_BUDGET} + 60")
  cmake_host_system_information(RESULT processors QUERY NUMBER_OF_LOGICAL_CORES) # heddle run uses them all
  set_tests_properties(${stress_NAME} PROPERTIES TIMEOUT ${limit} LABELS stress PROCESSORS ${processors})
endfunction()
