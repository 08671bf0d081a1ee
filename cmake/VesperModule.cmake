# vesper_module(NAME HEADERS ... SOURCES ... TESTS ... FUZZERS ... DEPS ... LIBS ...)
#   one static library vesper_NAME (alias vesper::NAME); tests NAME_test link only this module, which
#   proves its DEPS; headers are proved self-contained by `all_verify_interface_header_sets`.
#   DEPS are other modules, LIBS are vendor libraries. No globbing: every file is listed.
function(vesper_module NAME)
  cmake_parse_arguments(M "" "" "HEADERS;SOURCES;TESTS;FUZZERS;DEPS;LIBS;TEST_LIBS" ${ARGN})
  set(lib vesper_${NAME})
  if(M_SOURCES)
    add_library(${lib} STATIC ${M_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(${lib} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(vesper::${NAME} ALIAS ${lib})
  target_sources(${lib} ${scope} FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${M_HEADERS})
  set_target_properties(${lib} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(${lib} ${scope} vesper_flags ${M_LIBS})
  foreach(dep IN LISTS M_DEPS)
    target_link_libraries(${lib} ${scope} vesper::${dep})
  endforeach()
  if(M_TESTS)
    vesper_test(${NAME}_test SOURCES ${M_TESTS} LIBS ${lib} ${M_TEST_LIBS})
  endif()
  if(VESPER_FUZZ)
    foreach(fuzz IN LISTS M_FUZZERS)
      get_filename_component(fuzz_name ${fuzz} NAME_WE)
      add_executable(${fuzz_name} ${fuzz})
      target_link_libraries(${fuzz_name} PRIVATE ${lib})
      target_link_options(${fuzz_name} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# vesper_test(NAME SOURCES ... LIBS ... LABELS ...): a GoogleTest binary, one ctest entry a binary.
function(vesper_test NAME)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${NAME} ${T_SOURCES})
  target_link_libraries(${NAME} PRIVATE vesper_flags ${T_LIBS} GTest::gtest GTest::gtest_main
                        nlohmann_json::nlohmann_json)
  vesper_test_run(${NAME} COMMAND ${NAME} TIMEOUT ${T_TIMEOUT} LABELS ${T_LABELS})
endfunction()

# vesper_test_run(NAME COMMAND ... LABELS ... ENVIRONMENT ... TIMEOUT n): a ctest entry.
# LABELS, none for the fast tests:
#   slow       `./dev test --all`
#   sample     a slow suite shortened: `./dev test --sample`, which CI runs
#   reference  needs an engine of others: both
function(vesper_test_run NAME)
  cmake_parse_arguments(T "" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT" ${ARGN})
  add_test(NAME ${NAME} COMMAND ${T_COMMAND})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}" SKIP_RETURN_CODE 77
    ENVIRONMENT "VESPER_SOURCE=${CMAKE_SOURCE_DIR};VESPER_BUILD=${CMAKE_BINARY_DIR};GTEST_OUTPUT=xml:${CMAKE_BINARY_DIR}/test-reports/${NAME}.xml;${T_ENVIRONMENT}")
endfunction()
