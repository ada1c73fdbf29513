#!/usr/bin/env bash
# nke drill as a command: folders, order, threads, reports, captures, exit status; see drill_command.py.
exec python3 "$2/tests/system/drill_command.py" "$1" "$2"
