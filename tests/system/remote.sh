#!/usr/bin/env bash
# A running machine reached by its control socket: remote.py.
#
#	remote.sh BUILD SOURCE [TEST...]
[ "$(uname -s)" = Linux ] || { echo "skipped: packets over local sockets are tested on Linux"; exit 77; }
exec python3 "$(dirname "$0")/remote.py" "$@"
