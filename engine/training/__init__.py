"""The trainer and its curriculum."""
