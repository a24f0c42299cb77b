# heddle_add_replays(NAME PROGRAM FOLDER): a CTest that replays the schedule files of FOLDER with PROGRAM, a
# target or a path: what they were recorded for must not come back.
#
# It fails while a schedule shows a finding, and names those that say nothing about the program any more
# (stale), which fail it, too: a test that tests nothing is none. The files are taken for the project's
# own (heddle replay --trust). Such tests bear the label "replay".
function(heddle_add_replays name program folder)
  if(ARGN)
    message(FATAL_ERROR "heddle_add_replays: what is '${ARGN}'?")
  endif()
  get_filename_component(folder ${folder} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  if(TARGET heddle_command)
    set(heddle $<TARGET_FILE:heddle_command>)
  else()
    find_program(HEDDLE_COMMAND heddle HINTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin
      ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../../bin REQUIRED)
    set(heddle ${HEDDLE_COMMAND})
  endif()
  add_test(NAME ${name} COMMAND ${heddle} replay --trust --program=${program} ${folder})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS replay)
endfunction()
