#!/usr/bin/env bash
# Sets up what is missing and runs every check; with arguments, runs pytest with them instead.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup test,dev xvfb-run:xvfb xauth:xauth openbox:openbox

cd "$root"
export PATH="$venv/bin:$PATH" OMP_NUM_THREADS=1
if [ $# -gt 0 ]; then
  QT_QPA_PLATFORM=offscreen exec python -m pytest "$@"
fi
ruff check .
ruff format --check .
mypy
lint-imports
QT_QPA_PLATFORM=offscreen python -m pytest
# The window once more on a virtual screen, with a window manager that gives windows the keyboard.
QT_QPA_PLATFORM=xcb xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" \
  bash -c 'openbox & manager=$!; status=0; python -m pytest tests/gui || status=$?; kill $manager; exit $status'
