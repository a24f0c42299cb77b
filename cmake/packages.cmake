# Debian packages, by `cpack -G DEB` in a build folder that was configured with -DCMAKE_INSTALL_PREFIX=/usr:
# heddle, libheddle0, libheddle-dev, and heddle-stress when the suites are built.
set(CPACK_PACKAGE_CONTACT "Heddle maintainers <heddle@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/harness/rt ${PROJECT_BINARY_DIR}/lib
  ${PROJECT_BINARY_DIR}/harness/test)
set(CPACK_COMPONENTS_ALL runtime library development)
if(HEDDLE_BUILD_STRESS)
  list(APPEND CPACK_COMPONENTS_ALL stress)
endif()

# package(COMPONENT NAME SECTION DEPENDS SUMMARY TEXT)
macro(package component name section depends summary text)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${text}")
  set(CPACK_COMPONENT_${upper}_DISPLAY_NAME "${summary}")
  # Each package says under which licence it is, and what has changed.
  set(doc ${PROJECT_BINARY_DIR}/packages/${name})
  file(MAKE_DIRECTORY ${doc})
  file(READ ${PROJECT_SOURCE_DIR}/LICENSE licence)
  string(REGEX REPLACE "\n\n" "\n.\n" licence "${licence}")
  string(REGEX REPLACE "\n" "\n " licence " ${licence}")
  string(STRIP "${licence}" licence)
  file(WRITE ${doc}/copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
    "Upstream-Name: heddle\n\nFiles: *\nCopyright: the Heddle authors\nLicense: MIT\n ${licence}\n")
  file(WRITE ${doc}/changelog.Debian
    "heddle (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  Thu, 01 Jan 2026 00:00:00 +0000\n")
  execute_process(COMMAND gzip -9nf ${doc}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${doc}/copyright ${doc}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name}
    COMPONENT ${component})
endmacro()
set(same "(= ${PROJECT_VERSION}-1)")
package(runtime heddle devel "libheddle0 ${same}" "finds, replays and explains concurrency bugs in C programs"
  "Heddle runs a program under hundreds of thread schedules that it chooses\nitself, and reports deadlocks, lost wakeups, leaked threads, crashes and\ndata races, each with a schedule that shows it again.")
package(library libheddle0 libs "" "Heddle's concurrency library and hooks"
  "What programs need that were built with Heddle's library for C, or with\nheddle-cc.")
package(development libheddle-dev libdevel "libheddle0 ${same}, heddle ${same}" "headers, libraries and compiler of Heddle"
  "Goroutines, channels and more for C; test.h, to explore the schedules of a\ntest; heddle-cc, which builds programs whose memory accesses Heddle watches.")
if(HEDDLE_BUILD_STRESS)
  package(stress heddle-stress devel "heddle ${same}" "Heddle's suites of scenarios"
    "Programs with and without bugs, for heddle stress.")
endif()
file(WRITE ${PROJECT_BINARY_DIR}/packages/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/packages/triggers)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/packages/triggers)
include(CPack)
