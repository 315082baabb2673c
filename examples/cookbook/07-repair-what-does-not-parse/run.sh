#!/bin/sh
# Repair the files that Python cannot parse, and no other.
set -eu

broken=$(git ls-files '*.py' | while read -r file; do
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file" 2> /dev/null || echo "$file"
done)
echo "$broken" | seed edit -y "fix the syntax error" -
