#!/usr/bin/env bash
# Limits of memory; see replay_limits.py.
exec python3 "$2/tests/system/replay_limits.py" "$1" "$2"
