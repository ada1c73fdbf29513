#!/usr/bin/env bash
# Which way frames go and whose capture it is; see replay_direction.py.
exec python3 "$2/tests/system/replay_direction.py" "$1" "$2"
