#!/bin/sh
# Makes a small git repository with real defects and lets `seed edit` repair it: first the diff, then written and undone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
shop=$(mktemp -d)
trap 'rm -rf "$shop"' EXIT
export SEED_STATE_DIR="$shop/.state"

cp "$here"/shop/*.py "$shop"
cd "$shop"
git init --quiet
git add ./*.py
git -c user.name=demo -c user.email=demo@example.org commit --quiet --message "A shop that does not run"

echo "== python says"
for file in *.py; do python3 -m py_compile "$file" 2>&1 | tail -n 1; done

echo
echo "== seed edit --diff 'fix the syntax error' ."
seed edit --diff --exit-zero "fix the syntax error" .

echo
echo "== seed edit --apply: written; then python says"
seed edit --apply --exit-zero "fix the syntax error" . > /dev/null
for file in *.py; do python3 -m py_compile "$file" && echo "$file compiles"; done

echo
echo "== seed undo"
seed undo
