#!/usr/bin/env bash
# Command lines that make no sense, files that cannot be read or written, full disks; see command_line.py.
exec python3 "$2/tests/system/command_line.py" "$1" "$2"
