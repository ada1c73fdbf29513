#!/usr/bin/env bash
# Packets that kexts make, filters that come and go, the clock; see replay_inject.py.
exec python3 "$2/tests/system/replay_inject.py" "$1" "$2"
