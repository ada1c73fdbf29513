#!/usr/bin/env bash
# Several machines leave the same packets in the same order as one; see replay_parallel.py.
exec python3 "$2/tests/system/replay_parallel.py" "$1" "$2"
