"""Edits as bytes: patches, writing them all or not at all, and the journal that undoes them."""
