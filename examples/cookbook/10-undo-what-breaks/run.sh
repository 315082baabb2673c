#!/bin/sh
# Remove prints file by file; where the tests fail afterwards the print was no debugging, and the edit is taken back.
set -eu

for file in count.py greet.py; do
    seed edit -y --recipe remove-prints "$file"
    python3 -m unittest -q 2> /dev/null || seed undo
done
