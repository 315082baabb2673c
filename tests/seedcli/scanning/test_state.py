from pathlib import Path

import pytest

from engine.requests import EditRequest, Reading
from seedcli.errors import SettingsError
from seedcli.scanning.state import Readings

ASKED = [EditRequest("fix", "x = 1\n")]
READ = [Reading((), 0.25, 5)]


def test_a_batch_is_asked_for_once_and_another_line_is_no_state_of_a_scan(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with Readings(path, model="m 1", least=0.5) as readings:
        assert readings.of(ASKED, lambda _: READ) == READ
    with Readings(path, model="m 1", least=0.5) as readings:
        assert readings.of(ASKED, lambda _: pytest.fail("asked again")) == READ
    path.write_bytes(path.read_bytes() + b'{"note": 1}\n')
    with pytest.raises(SettingsError, match="state is no state of a scan; name another file with --state"):
        Readings(path, model="m 1", least=0.5)
