"""The network and its tokenizer. Knows nothing of corruption, sampling or files of users."""
