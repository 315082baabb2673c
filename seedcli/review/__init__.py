"""Reviewing a patch: decisions as pure state, and the Textual screen over them."""
