# A glibc compiler with musl's headers and library: KVS_TRIPLE names the compiler, KVS_MUSL the folder
# that has include/ and lib/ of musl for that processor. C++ comes from libstdc++'s headers alone;
# nothing of its library is linked (see native/addon/runtime.cc).
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KVS_TRIPLE KVS_MUSL)
foreach(name KVS_TRIPLE KVS_MUSL)
  if(NOT ${name})
    set(${name} $ENV{${name}})
  endif()
endforeach()
string(REGEX REPLACE "-.*" "" KVS_CPU "${KVS_TRIPLE}")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${KVS_CPU})
set(CMAKE_C_COMPILER ${KVS_TRIPLE}-gcc)
set(CMAKE_CXX_COMPILER ${KVS_TRIPLE}-g++)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
  OUTPUT_VARIABLE KVS_GCC_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -E -x c++ -v -
  INPUT_FILE /dev/null OUTPUT_QUIET ERROR_VARIABLE said)
string(REGEX MATCHALL "\n (/[^\n]*c\\+\\+[^\n]*)" found "${said}")
set(KVS_CXX_INCLUDES "")
foreach(folder IN LISTS found)
  string(STRIP "${folder}" folder)
  string(APPEND KVS_CXX_INCLUDES " -isystem ${folder}")
endforeach()

set(KVS_MUSL_INCLUDES "-isystem ${KVS_MUSL}/include -isystem ${KVS_GCC_INCLUDE}")
set(CMAKE_C_FLAGS_INIT "-nostdinc ${KVS_MUSL_INCLUDES}")
# libstdc++ was made for glibc: it asks for its version, and which pthread names it has.
set(CMAKE_CXX_FLAGS_INIT
  "-nostdinc -nostdinc++${KVS_CXX_INCLUDES} ${KVS_MUSL_INCLUDES} \"-D__GLIBC_PREREQ(a,b)=0\"")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-nostdlib -L${KVS_MUSL}/lib -Wl,--push-state,--no-as-needed")
set(CMAKE_C_STANDARD_LIBRARIES_INIT "-l:libc.so -lgcc")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
