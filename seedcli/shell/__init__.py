"""What a shell is told at the TAB key: which words may stand at the cursor, and a script for each shell."""
