#!/usr/bin/env bash
# Odd clocks in captures; see replay_clock.py.
exec python3 "$2/tests/system/replay_clock.py" "$1" "$2"
