"""What can go wrong in the engine, for callers to catch.

EngineError
├── CheckpointError   a model folder that is missing, incomplete or not ours
├── DataError         training or evaluation data that cannot be used
└── DeviceError       a device or dtype this machine does not have
"""


class EngineError(Exception):
    """Base of all errors of the engine; its text names the value and the cure."""


class CheckpointError(EngineError):
    """A model folder is missing, incomplete, or not in a format Seed reads."""


class DataError(EngineError):
    """A corpus, suite or configuration file cannot be used."""


class DeviceError(EngineError):
    """The device or dtype asked for does not exist on this machine."""
