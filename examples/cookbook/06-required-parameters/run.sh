#!/bin/sh
# Make parameters required: a patch for each job, which git applies one by one.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for pair in move:speed turn:angle wait:seconds; do
    printf '{"id": "%s", "recipe": "remove-default", "vars": {"parameter": "%s"}, "target": "robots.py::%s"}\n' \
        "${pair%:*}" "${pair#*:}" "${pair%:*}"
done > "$work/jobs.jsonl"
seed batch --exit-zero --patch-dir "$work/patches" "$work/jobs.jsonl" > "$work/results.jsonl"
for patch in "$work"/patches/*.patch; do
    git apply "$patch"
done
