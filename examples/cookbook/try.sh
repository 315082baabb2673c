#!/bin/sh
# Runs one example, or all: makes a git repository of its files, runs its script there, and shows what changed.
#   examples/cookbook/try.sh 01-idioms-of-a-package
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SEED_STATE_DIR="$work/state"

for name in "${@:-$(ls -d "$here"/[0-9]*)}"; do
    for example in $name; do
        example="$here/$(basename "$example")"
        repo="$work/$(basename "$example")"
        cp -r "$example/repo" "$repo"
        cd "$repo"
        git init --quiet
        git add .
        git -c user.name=cook -c user.email=cook@example.org commit --quiet --message "As it was"
        echo "== $(basename "$example")"
        "$example/run.sh"
        git --no-pager diff --stat
        python3 -m unittest -q
    done
done
