#!/usr/bin/env bash
# Flows of a capture re-enacted by sockets of the machine: see replay_sockets.py.
exec python3 "$(dirname "$0")/replay_sockets.py" "$1" "$2"
