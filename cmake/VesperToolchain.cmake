# What every target shares: language level, warnings, linker, libraries of Debian 12.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

find_program(VESPER_CCACHE ccache)
if(VESPER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VESPER_CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG)
find_package(fmt REQUIRED CONFIG)
find_package(simdjson REQUIRED CONFIG)
find_package(pugixml REQUIRED CONFIG)
find_package(tomlplusplus REQUIRED CONFIG)
find_package(CLI11 REQUIRED CONFIG)
find_package(GTest REQUIRED CONFIG)
find_package(nlohmann_json REQUIRED CONFIG)  # tests only
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)

add_library(vesper_flags INTERFACE)
target_include_directories(vesper_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(vesper_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Werror=switch -Werror=return-type -Werror=unused-result
  # Live profiles walk frame pointers (docs/internals): cheap, and on in every build.
  -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer)
target_compile_definitions(vesper_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_options(vesper_flags INTERFACE -fuse-ld=lld)
option(VESPER_LTO "Optimise over the borders of files (ThinLTO), when programs are linked" OFF)
if(VESPER_LTO)
  target_compile_options(vesper_flags INTERFACE -flto=thin)
  target_link_options(vesper_flags INTERFACE -flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto)
endif()
option(VESPER_WERROR "Warnings are errors" ON)
if(VESPER_WERROR)
  target_compile_options(vesper_flags INTERFACE -Werror)
endif()

set(VESPER_SANITIZE "" CACHE STRING "address,undefined or thread")
if(VESPER_SANITIZE)
  add_compile_options(-fsanitize=${VESPER_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${VESPER_SANITIZE})
endif()
option(VESPER_FUZZ "Build the libFuzzer targets (*_fuzz)" OFF)
if(VESPER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
