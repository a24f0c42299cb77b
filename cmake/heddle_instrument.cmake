# heddle_instrument(TARGET...): build these targets so that Heddle can watch their memory accesses.
#
# The same as building them with heddle-cc: compiled with the code generation of -fsanitize=thread,
# linked with libheddle-hooks in place of ThreadSanitizer's runtime. They also run by themselves.
function(heddle_instrument)
  foreach(target IN LISTS ARGN)
    if(NOT TARGET ${target})
      message(FATAL_ERROR "heddle_instrument: '${target}' is not a target")
    endif()
    get_target_property(options ${target} COMPILE_OPTIONS)
    if("${options};${CMAKE_C_FLAGS};${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize=[a-z,]*(address|thread|memory)")
      message(FATAL_ERROR "heddle_instrument: '${target}' is built with ${CMAKE_MATCH_0}: build it with one of them")
    endif()
    foreach(language C CXX)
      if(CMAKE_${language}_COMPILER MATCHES "heddle-c(c|\\+\\+)$")
        continue() # which does it by itself
      endif()
      target_compile_options(${target} PRIVATE
        "$<$<COMPILE_LANG_AND_ID:${language},Clang>:SHELL:-Xclang -fsanitize=thread>"
        "$<$<COMPILE_LANG_AND_ID:${language},GNU>:SHELL:-fsanitize=thread -fno-builtin-memcpy -fno-builtin-memmove -fno-builtin-memset -Wno-tsan>")
    endforeach()
    get_target_property(type ${target} TYPE)
    set(scope PRIVATE)
    if(type STREQUAL STATIC_LIBRARY) # who links it does what is its part of it
      set(scope PUBLIC)
    endif()
    if(TARGET heddle-hooks)
      target_link_libraries(${target} PRIVATE heddle-fast-path heddle-hooks)
    else()
      find_library(HEDDLE_HOOKS_LIBRARY heddle-hooks HINTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../..
        ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../.. REQUIRED)
      get_filename_component(directory ${HEDDLE_HOOKS_LIBRARY} DIRECTORY)
      target_link_libraries(${target} PRIVATE ${directory}/libheddle-fast-path.a ${HEDDLE_HOOKS_LIBRARY})
    endif()
    foreach(function memcpy memmove memset memcmp strlen strcmp strcpy)
      target_link_options(${target} ${scope} -Wl,--wrap=${function})
    endforeach()
  endforeach()
endfunction()
