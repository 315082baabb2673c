"""What a repository holds: its files, their text, the regions an edit may touch."""
