#!/bin/sh
# Read the whole tree for suspicious places, and repair the functions that hold a very suspicious one.
set -eu

seed scan --format jsonl --least 0.9 . | python3 -c '
import json, sys
found = map(json.loads, sys.stdin)
print(*sorted({place["path"] + "::" + place["symbol"] for place in found}), sep="\n")
' | seed edit -y "fix the bug" -
