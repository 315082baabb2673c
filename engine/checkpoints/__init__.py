"""Weights, tokenizer and config as one folder: saving and loading."""
