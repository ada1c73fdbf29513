#!/usr/bin/env bash
# What tests/fuzz/seeds.py writes is what is kept in the corpus, octet for octet.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

PYTHONDONTWRITEBYTECODE=1 python3 "$2/tests/fuzz/seeds.py" "$work"
failed=
for seed in "$work"/*/seed-*; do
	cmp "$seed" "$2/tests/fuzz/corpus/${seed#"$work"/}" || failed=1
done
[ -z "$failed" ] || { echo "FAILED: run tests/fuzz/seeds.py tests/fuzz/corpus"; exit 1; }
