"""The user's own folders for configuration, models, caches and journals. Knows nothing of what lies in them."""

from pathlib import Path
from typing import Literal

from seedcli.errors import SettingsError


def user_folder(kind: Literal["config", "data", "cache", "state"]) -> Path:
    """One of them, as the platform has it (XDG variables on Linux); it need not exist.

    Raises:
        SettingsError: the user has no home.
    """
    # Here, since not every command needs one.
    import platformdirs

    try:
        return Path(getattr(platformdirs, f"user_{kind}_path")("seed"))
    except RuntimeError as error:
        raise SettingsError(f"there is no folder for Seed's {kind} ({error})") from None
