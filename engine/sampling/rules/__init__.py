"""What the published decoding rules of open checkpoints have in common, as pure functions and small data."""
