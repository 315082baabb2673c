#!/bin/sh
# Loop with enumerate; the edit is kept only if the tests pass with it, which run in a private copy of the tree.
set -eu

seed edit -y --recipe enumerate --check "python3 -m unittest -q" playlist.py
