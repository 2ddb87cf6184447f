#!/bin/sh
# Writes the golden files of the core's MKV writer anew. Run it only when the
# bytes are meant to change, and read the difference of the .txt files before
# it is committed.   test/golden/core/write.sh [build folder]
set -eu
cd "$(dirname "$0")/../../.."
build=${1:-build-core/release}
cmake --preset release -B "$build" >/dev/null
cmake --build "$build" --target mkv_golden_test >/dev/null
"$build/mkv_golden_test" --write
git diff --stat -- test/golden/core
