#!/usr/bin/env bash
# include/Kernel declares, and libnke.so has, what the tables of tests/data/kpi say.
#
#	interface_tables.sh BUILD SOURCE
set -eu
exec python3 "$2/tests/system/interface_tables.py" "$2" "$1/libnke.so"
