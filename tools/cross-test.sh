#!/bin/sh
# The core's tests on other processors: 64 bits with the high byte first
# (s390x), 32 bits with the high byte first (powerpc), 32 bits with the low
# byte first (x86). What is not installed is skipped by name.
#   tools/cross-test.sh [s390x|powerpc|x86_32]...
# Debian: gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-powerpc-linux-gnu
#   libc6-dev-powerpc-cross qemu-user (or qemu-user-static) gcc-12-multilib
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- s390x powerpc x86_32
# Speed and use of memory are the same everywhere; emulated, they only take
# long.
leave_out='heap_usable_test'

run() {
  name=$1
  shift
  build=build-core/cross-$name
  echo "== $name"
  cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DKVS_WERROR=ON "$@" >/dev/null
  cmake --build "$build" -j 2 >/dev/null
  ctest --test-dir "$build" --output-on-failure --timeout 900 -E "$leave_out"
}

cross() {
  name=$1 triple=$2 qemu=$3
  command -v "$qemu" >/dev/null || ! command -v "$qemu-static" >/dev/null || qemu=$qemu-static
  for tool in "$triple-gcc" "$qemu"; do
    if ! command -v "$tool" >/dev/null; then
      echo "== $name: skipped, $tool is not installed"
      return 0
    fi
  done
  run "$name" -DCMAKE_TOOLCHAIN_FILE="$PWD/tools/cross/toolchain.cmake" \
    -DKVS_CROSS_TRIPLE="$triple" -DKVS_CROSS_QEMU="$qemu"
}

for target in "$@"; do
  case $target in
    s390x) cross s390x s390x-linux-gnu qemu-s390x ;;
    powerpc) cross powerpc powerpc-linux-gnu qemu-ppc ;;
    x86_32)
      if [ "$(uname -m)" = x86_64 ] &&
        echo 'int main(void){return 0;}' | ${CC:-cc} -m32 -x c - -o /dev/null 2>/dev/null; then
        run x86_32 '-DCMAKE_C_FLAGS=-m32 -D_FILE_OFFSET_BITS=64' -DCMAKE_SYSTEM_PROCESSOR=i686
      else
        echo "== x86_32: skipped, the compiler cannot link for it (-m32)"
      fi ;;
    *)
      echo "unknown target $target: s390x, powerpc or x86_32" >&2
      exit 2 ;;
  esac
done
