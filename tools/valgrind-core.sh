#!/bin/sh
# The core's tests, fuzz replays and examples under valgrind's memcheck, which
# also sees what the sanitizers do not: values that were never set. Optimized
# as shipped, since that is what runs. Any finding is a failure.
#   tools/valgrind-core.sh [NAME]...     only tests whose name matches
set -eu
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed (apt-get install valgrind)"
  exit 0
fi
build=build-core/valgrind
[ $# -gt 0 ] || set -- .
only=$(printf '%s|' "$@")
# Use of memory and speed are the same here; emulated, they only take long.
leave_out='heap_usable_test'
memcheck='valgrind;--quiet;--leak-check=full;--error-exitcode=99'

cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CROSSCOMPILING_EMULATOR="$memcheck" >/dev/null
cmake --build "$build" -j 2 >/dev/null
ctest --test-dir "$build" --output-on-failure --no-tests=error -j 2 \
  -E "$leave_out" -R "${only%|}"
