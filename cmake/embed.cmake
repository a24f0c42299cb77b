# Text files that become part of a program.

# 64 hexadecimal digits, a SHA-256, in base64: as a Content-Security-Policy has it.
function(heddle_base64 hex result)
  set(digits ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(text "")
  foreach(at RANGE 0 60 3)
    string(SUBSTRING ${hex} ${at} 3 three)
    math(EXPR high "0x${three} >> 6")
    math(EXPR low "0x${three} & 63")
    string(SUBSTRING ${digits} ${high} 1 high)
    string(SUBSTRING ${digits} ${low} 1 low)
    string(APPEND text ${high}${low})
  endforeach()
  string(SUBSTRING ${hex} 63 1 last)
  math(EXPR last "0x${last} << 2")
  string(SUBSTRING ${digits} ${last} 1 last)
  set(${result} "${text}${last}=" PARENT_SCOPE)
endfunction()

# heddle_embed(NAME FILE...): NAME.c in the build folder has `const char NAME[]`, the files one after the other, and
# `const char NAME_hash[]`, the base64 of their SHA-256. It is written anew when one of them changes.
function(heddle_embed name)
  set(text "")
  foreach(file IN LISTS ARGN)
    file(READ ${CMAKE_CURRENT_SOURCE_DIR}/${file} more)
    string(APPEND text "${more}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  string(SHA256 hash "${text}")
  heddle_base64(${hash} hash)
  string(HEX "${text}" bytes)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  file(CONFIGURE OUTPUT ${name}.c CONTENT "/* Made by cmake/embed.cmake. */
extern const char ${name}[], ${name}_hash[];
const char ${name}[] = {
${bytes}0};
const char ${name}_hash[] = \"${hash}\";
" @ONLY)
endfunction()
