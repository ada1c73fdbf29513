#!/usr/bin/env bash
# What becomes of packets: order, identity, fragments, changes; see replay_fate.py.
exec python3 "$2/tests/system/replay_fate.py" "$1" "$2"
