from pathlib import Path

import pytest

from seedcli.errors import SettingsError
from seedcli.folders import user_folder


def test_they_follow_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert user_folder("state") == tmp_path / "seed"


def test_without_a_home_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "os.path.expanduser", lambda path: path
    )  # as where neither HOME nor the user is known
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(SettingsError, match="folder for Seed's state"):
        user_folder("state")
