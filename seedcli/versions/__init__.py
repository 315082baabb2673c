"""Git as the tool uses it: which lines have changed, what is said of them, commits of a run's own hunks.

No git command is ever run that writes the work tree.
"""
