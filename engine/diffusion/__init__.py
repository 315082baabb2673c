"""Masks, edit labels, corruption and the objective: pure functions over token ids."""
