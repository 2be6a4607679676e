#!/usr/bin/env bash
# Sets up what is missing and opens NTK Lab on its starter experiment; arguments go to the ntklab command.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup ''
exec "$venv/bin/ntklab" "$@"
