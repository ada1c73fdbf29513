#!/usr/bin/env bash
# What is around the flows that are re-enacted: see replay_sockets_network.py.
exec python3 "$(dirname "$0")/replay_sockets_network.py" "$1" "$2"
