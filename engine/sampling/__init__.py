"""Decoding: rounds of edits from logits."""
