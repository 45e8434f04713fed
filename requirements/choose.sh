#!/usr/bin/env bash
# Prints each locked set that this machine can take and the Python for it, best first:
#   py312 /usr/bin/python3.13
#   py310 uv:3.10:/usr/bin/python3
# The second is one that uv is to bring, once the Python behind it has installed uv.
# Ends with 2 and one sentence where there is none. The variable PYTHON names the one to take.
set -euo pipefail

refuse() {
  echo "make setup: $*" >&2
  exit 2
}

# Prints "3.13 /usr/bin/python3.13", or nothing where it is no Python that starts. Of an
# environment it is the Python beneath: what is chosen must outlive the environment.
probe() {
  "$1" -c '
import sys
path = getattr(sys, "_base_executable", sys.executable)
print("%d.%d" % sys.version_info[:2], path)' 2>/dev/null || true
}

image="the image runs on any machine with Docker (docker build --tag heed .)"
machine="$(uname -s) on $(uname -m)"
[ "$machine" = "Linux on x86_64" ] ||
  refuse "TFX has packages for Linux on x86_64, and this is $machine: $image"
libc="$(getconf GNU_LIBC_VERSION 2>/dev/null || true)"
[[ "$libc" =~ ^glibc\ 2\.([0-9]+) ]] ||
  refuse "TFX has packages for Linux with glibc, and this system has another libc: $image"
# The wheels of the newer set are manylinux_2_39.
newer=$((BASH_REMATCH[1] >= 39))

if [ -n "${PYTHON:-}" ]; then
  read -r version path <<<"$(probe "$PYTHON")" || true
  [ -n "${version:-}" ] || refuse "PYTHON=$PYTHON is no Python that starts"
  case "$version$newer" in
    3.121 | 3.131) echo "py312 $path" ;;
    3.10?) echo "py310 $path" ;;
    *) refuse "PYTHON=$PYTHON is Python $version, and the locked sets are for 3.10, or" \
      "with glibc 2.39 or later (here $libc) for 3.12 and 3.13: name one, or leave" \
      "PYTHON out" ;;
  esac
  exit 0
fi

newest="" oldest="" any=""
for name in python3 python3.13 python3.12 python3.10 \
  "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[023].*/bin/python; do
  read -r version path <<<"$(probe "$name")" || true
  case "${version:-}" in
    "") continue ;;
    3.12 | 3.13) newest="${newest:-$path}" ;;
    3.10) oldest="${oldest:-$path}" ;;
  esac
  any="${any:-$path}"
done
if [ "$newer" = 1 ] && [ -n "$newest" ]; then
  echo "py312 $newest"
elif [ "$newer" = 1 ] && [ -n "$any" ]; then
  echo "py312 uv:3.12:$any"
fi
if [ -n "$oldest" ]; then
  echo "py310 $oldest"
elif [ -n "$any" ]; then
  echo "py310 uv:3.10:$any"
else
  refuse "Python is missing: install Python" \
    "$([ "$newer" = 1 ] && echo "3.12 or 3.13" || echo 3.10) with your system's" \
    "packages, pyenv or uv, or set PYTHON=/path/to/python; $image"
fi
