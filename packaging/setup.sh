# Sourced by start.sh and test.sh: makes .venv and installs what is missing. Running it again costs seconds.
# Settings: PYTHON (interpreter, default python3), NTKLAB_VENV (default .venv in the checkout).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${NTKLAB_VENV:-$root/.venv}

say() { printf 'ntklab: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Shared libraries that Qt loads, each with the Debian/Ubuntu package that has it.
libraries=(
  libGL.so.1:libgl1 libEGL.so.1:libegl1 libxkbcommon.so.0:libxkbcommon0 libfontconfig.so.1:libfontconfig1
  libdbus-1.so.3:libdbus-1-3 libglib-2.0.so.0:libglib2.0-0 libxcb-cursor.so.0:libxcb-cursor0
  libxkbcommon-x11.so.0:libxkbcommon-x11-0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-keysyms.so.1:libxcb-keysyms1
  libxcb-shape.so.0:libxcb-shape0 libxcb-xkb.so.1:libxcb-xkb1 libxcb-render-util.so.0:libxcb-render-util0
  libxcb-image.so.0:libxcb-image0
)

missing_packages() {
  local known entry
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
  for entry in "${libraries[@]}"; do
    grep -qF "${entry%%:*} " <<<"$known" || echo "${entry#*:}"
  done
  [ -n "$(find /usr/share/fonts /usr/local/share/fonts -name '*.[ot]tf' -print -quit 2>/dev/null)" ] || echo fonts-dejavu-core
  "$python" -c 'import ensurepip, venv' 2>/dev/null || echo "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  local tool
  for tool in "$@"; do command -v "${tool%%:*}" >/dev/null || echo "${tool#*:}"; done
}

install_packages() {
  local as=()
  command -v apt-get >/dev/null || fail "missing system packages: $*; install their equivalents, then run this again"
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "missing system packages; run: sudo apt-get install $*"
    as=(sudo -n)
  fi
  say "installing system packages: $*"
  quietly "${as[@]}" apt-get update
  quietly "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Shows what a command printed only if it failed.
quietly() {
  local log
  log=$(mktemp)
  "$@" </dev/null >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; fail "this command failed: $*"; }
  rm -f "$log"
}

# Packages are installed again only when what they are made from has changed.
stamp() { { "$python" -VV; echo "$venv $root $1"; cat "$root/pyproject.toml" "$root/packaging/constraints.txt"; } | sha256sum; }

# setup EXTRAS [TOOL:PACKAGE ...]   (EXTRAS may be empty)
setup() {
  local extras=$1 mark=$venv/.ntklab-${1:-app} wanted now
  shift
  python=${PYTHON:-python3}
  command -v "$python" >/dev/null || fail "$python is missing; install Python 3.11 or newer, or set PYTHON"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" -V) is too old; install Python 3.11 or newer, or set PYTHON to its path"
  if [ "$(uname -s)" = Linux ]; then
    wanted=$(missing_packages "$@")
    # shellcheck disable=SC2086
    [ -z "$wanted" ] || install_packages $wanted
  fi
  now=$(stamp "$extras")
  if [ "$(cat "$mark" 2>/dev/null)" != "$now" ]; then
    say "setting up $venv (some minutes and about 1.5 GB the first time; several GB with CUDA)"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      --constraint "$root/packaging/constraints.txt" --editable "$root${extras:+[$extras]}" >&2
    echo "$now" >"$mark"
  fi
}
