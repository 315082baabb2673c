"""What can go wrong in the tool; each kind knows its exit code (the contract of `seed --help`).

SeedError (2)
├── TargetError (2)      a target that is missing, outside the root, without the symbol, or not text
├── SettingsError (2)    an unknown or wrong setting
├── PatchError (2)       a patch that cannot be read
├── ModelError (3)       no model, or one that cannot be used
├── ConflictError (4)    a file that changed, cannot be written, or is being written by another run
└── CheckFailed (5)      no candidate passed the user's check
"""


class SeedError(Exception):
    """An error with a one-line message for the user: what is wrong with which value, and the cure."""

    exit_code = 2


class TargetError(SeedError):
    """A target cannot be edited: missing, outside the root, no such symbol, not text."""


class SettingsError(SeedError):
    """A setting is unknown or has a wrong value."""


class PatchError(SeedError):
    """A patch cannot be read, or does not fit the files."""


class ModelError(SeedError):
    """There is no usable model."""

    exit_code = 3


class ConflictError(SeedError):
    """A file changed underneath, cannot be written, or another run holds it. Nothing was written."""

    exit_code = 4


class CheckFailed(SeedError):
    """No candidate passed the check; the tree is as before."""

    exit_code = 5
