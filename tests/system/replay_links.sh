#!/usr/bin/env bash
# Link types and file formats of captures; see replay_links.py.
exec python3 "$2/tests/system/replay_links.py" "$1" "$2"
