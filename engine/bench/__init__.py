"""Timing side by side: what an edit and a text cost, against other ways of decoding, in one run on one machine."""
