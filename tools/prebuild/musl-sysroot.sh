#!/bin/sh
# musl's headers and library for a processor, from Debian's package, into
# build-core/musl/ARCH; nothing is installed.
#   tools/prebuild/musl-sysroot.sh [amd64|arm64]...
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- amd64 arm64

archs=$*
for arch in $archs; do
  case $arch in
    amd64) cpu=x86_64 ;;
    arm64) cpu=aarch64 ;;
    *)
      echo "unknown processor $arch: amd64 or arm64" >&2
      exit 2 ;;
  esac
  folder=$PWD/build-core/musl/$arch
  apt=$folder/apt
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$folder/root"
  : >"$apt/status"
  # A state of its own, so that the system's list of processors stays as it is.
  set -- -q -o Dir::State="$apt" -o Dir::State::status="$apt/status" \
    -o Dir::Cache="$apt" -o APT::Architecture="$arch" \
    -o APT::Architectures="$arch" -o APT::Sandbox::User=root
  apt-get "$@" update >/dev/null
  (cd "$apt" && apt-get "$@" download musl musl-dev >/dev/null)
  for package in "$apt"/*.deb; do
    dpkg -x "$package" "$folder/root"
  done
  ln -sfn "root/usr/include/$cpu-linux-musl" "$folder/include"
  mkdir -p "$folder/lib"
  ln -sfn "../root/lib/$cpu-linux-musl/libc.so" "$folder/lib/libc.so"
  rm -rf "$apt"
  echo "build-core/musl/$arch"
done
