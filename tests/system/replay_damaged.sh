#!/usr/bin/env bash
# Packets captured short, captures damaged or cut off; see replay_damaged.py.
exec python3 "$2/tests/system/replay_damaged.py" "$1" "$2"
