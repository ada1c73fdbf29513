#!/usr/bin/env bash
# Kexts that crash, panic, will not load or stop; see replay_faults.py.
exec python3 "$2/tests/system/replay_faults.py" "$1" "$2"
