#!/usr/bin/env bash
# The JSON report, the summary and what the manual says about them; see replay_report.py.
exec python3 "$2/tests/system/replay_report.py" "$1" "$2"
