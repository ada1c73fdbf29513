#!/usr/bin/env bash
# What socket filters see and do when flows are re-enacted: see replay_sockets_filters.py.
exec python3 "$(dirname "$0")/replay_sockets_filters.py" "$1" "$2"
