#!/bin/sh
# Propose f-strings as a patch, look at what it does, and let git apply it. A proposal that is not written ends with 1.
set -eu

patch=$(mktemp)
trap 'rm -f "$patch"' EXIT
seed edit --recipe fstring labels.py > "$patch" || test $? -eq 1
git apply --stat "$patch"
git apply "$patch"
