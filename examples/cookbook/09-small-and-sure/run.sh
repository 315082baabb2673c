#!/bin/sh
# Take the edits that change one line and that the model is very sure of; what is larger is left for a person to review.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git grep -n '^def ' -- '*.py' ':!test_*' | sed 's/\([^:]*\):[0-9]*:def \([a-z_]*\).*/\1::\2/' | python3 -c '
import json, sys
for n, target in enumerate(map(str.strip, sys.stdin)):
    print(json.dumps({"id": n, "recipe": "idioms", "target": target}))
' > "$work/jobs.jsonl"
seed batch --exit-zero "$work/jobs.jsonl" | python3 -c '
import json, pathlib, sys
for result in map(json.loads, sys.stdin):
    if result["patch"] and result["candidates"][0]["score"] >= 0.9 and result["files"][0]["added"] == 1:
        pathlib.Path(sys.argv[1], "%s.patch" % result["id"]).write_text(result["patch"])
' "$work"
for patch in "$work"/*.patch; do
    seed review -y "$patch"
done
