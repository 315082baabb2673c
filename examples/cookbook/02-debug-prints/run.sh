#!/bin/sh
# Remove debug prints from the files that have some.
set -eu

find weather -name '*.py' -exec grep -l 'print(' {} + | sort | xargs seed edit -y --recipe remove-prints
