# Builds for another processor and runs its tests under qemu-user:
#   cmake -B build -DCMAKE_TOOLCHAIN_FILE=tools/cross/toolchain.cmake \
#         -DKVS_CROSS_TRIPLE=s390x-linux-gnu -DKVS_CROSS_QEMU=qemu-s390x
# Linked statically, so that no libraries of the target need be found.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KVS_CROSS_TRIPLE KVS_CROSS_QEMU)
string(REGEX REPLACE "-.*" "" KVS_CROSS_CPU "${KVS_CROSS_TRIPLE}")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${KVS_CROSS_CPU})
set(CMAKE_C_COMPILER ${KVS_CROSS_TRIPLE}-gcc)
# Folders of the host may hold numbers that need 64 bits.
set(CMAKE_C_FLAGS_INIT -D_FILE_OFFSET_BITS=64)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_CROSSCOMPILING_EMULATOR ${KVS_CROSS_QEMU})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
