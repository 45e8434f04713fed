#!/usr/bin/env bash
# Builds an environment from the locked set that this machine takes:
#   requirements/install.sh .venv dev
# It is built anew where it was broken off, its checkout was moved, or its Python is gone,
# and brought up to date where the lock has changed. Nothing is done where all is well.
set -euo pipefail
cd "$(dirname "$0")/.."
environment="$1"
kind="$2"
stamp="$environment/.synced"
uv=.venv-uv/bin/uv

say() { echo "make setup: $*" >&2; }
refuse() {
  say "$@"
  exit 2
}

# What the environment is made of: the set, and a digest of its lock and the metadata.
contents() {
  echo "$1 $(cat "requirements/$1-$kind.lock" pyproject.toml setup.py | sha256sum | cut -c1-64)"
}

# Says what is wrong with the environment; nothing where it can be kept. Its scripts name
# their Python by its full path, so a moved checkout leaves them dead.
fault() {
  [ -e "$stamp" ] || { echo "an earlier set-up was broken off"; return; }
  "$environment/bin/python" -c '' 2>/dev/null || { echo "its Python is gone"; return; }
  local home
  home="$(sed -n '1,3s|^[^/]*\(/.*\)/python.*|\1|p' "$environment/bin/heed" 2>/dev/null | tail -1)"
  [ "$home" -ef "$environment/bin" ] || echo "its checkout was moved"
}

# Two set-ups at once would take each other's files away.
exec 9<requirements
flock 9

reason=""
if [ -e "$environment" ] || [ -L "$environment" ]; then
  reason="$(fault)"
  # An earlier Makefile left the stamp empty: the lock is installed once more.
  if [ -z "$reason" ] && [ -z "${PYTHON:-}" ]; then
    read -r set _ <"$stamp" || set=""
    [ -n "$set" ] && [ "$(cat "$stamp")" = "$(contents "$set")" ] && exit 0
  fi
fi

choices="$(requirements/choose.sh)"

# Installs uv, which fetches Python and packages, apart from what it builds.
install_uv() {
  "$uv" --version >/dev/null 2>&1 && return
  rm -rf .venv-uv
  if uv --version >/dev/null 2>&1; then
    mkdir -p "$(dirname "$uv")"
    ln -s "$(command -v uv)" "$uv"
    return
  fi
  local python="$1"
  "$python" -m venv .venv-uv >/dev/null ||
    refuse "$python has no module venv: install it (apt-get install python3-venv)"
  .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv || {
    rm -rf .venv-uv
    refuse "pip could not fetch uv, for the reason above: the first set-up needs the" \
      "network, or a package index that pip is told of"
  }
}
first="$(head -1 <<<"$choices" | cut -d' ' -f2-)"
install_uv "${first#uv:*:}"

python=""
while read -r set python; do
  [[ "$python" == uv:* ]] || break
  IFS=: read -r _ version _ <<<"$python"
  say "no Python that the packages are locked for: uv python install $version"
  if "$uv" python install --quiet "$version"; then
    python="$("$uv" python find --managed-python "$version")"
    break
  fi
  python=""
done <<<"$choices"
[ -n "$python" ] ||
  refuse "uv could not bring Python $version, for the reason above: install it with your" \
    "system's packages or pyenv, or set PYTHON=/path/to/python; the image runs on any" \
    "machine with Docker (docker build --tag heed .)"

include="$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')"
command -v g++ >/dev/null && [ -e "$include/Python.h" ] ||
  refuse "pyfarmhash is built from source, which needs g++ and the headers of $python:" \
    "install them (apt-get install g++ python3-dev)"

version="$("$python" -c 'import platform; print(platform.python_version())')"
if [ -z "$reason" ] && [ -e "$environment" ] &&
  [ "$("$environment/bin/python" -c 'import platform; print(platform.python_version())')" != "$version" ]; then
  reason="another Python was chosen"
fi
if [ -n "$reason" ]; then
  [ -L "$environment" ] || [ -e "$environment/pyvenv.cfg" ] || [ -z "$(ls -A "$environment")" ] ||
    refuse "$environment is no virtual environment: move it away"
  say "$environment is built anew: $reason"
  rm -rf "$environment"
fi
say "$environment: Python $version ($python), requirements/$set-$kind.lock"
[ -e "$environment" ] || "$uv" venv --quiet --python "$python" "$environment"
rm -f "$stamp"
# Bytecode is compiled once here: without it each process spends 10 s or more on it.
"$uv" pip sync --quiet --compile-bytecode --python "$environment/bin/python" \
  --require-hashes "requirements/$set-$kind.lock" &&
  "$uv" pip install --quiet --python "$environment/bin/python" --no-deps \
    --no-build-isolation --editable . ||
  refuse "the packages could not be installed, for the reason above. Without network," \
    "make it reachable; then run this again: it begins anew"
contents "$set" >"$stamp"
