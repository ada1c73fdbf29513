#!/usr/bin/env bash
# The rules of the house that no compiler checks: who includes whom, no mutable globals in the core, sizes.
#
#	code_rules.sh BUILD SOURCE
set -eu
exec python3 "$2/tests/system/code_rules.py" "$2" "$1"
