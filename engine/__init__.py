"""The model behind `seed`: network, training, sampling. Knows no terminal.

Importing this package imports neither torch nor transformers; its modules do when they are used.
"""
