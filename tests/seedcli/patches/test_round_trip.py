"""The round trip of `benchmarks/round_trip.py` over folders of the standard library."""

import random
import shutil
import sysconfig
from pathlib import Path

import pytest

from benchmarks.round_trip import round_trip

_FOLDERS = ("json", "email", "unittest")


@pytest.mark.parametrize("name", _FOLDERS)
def test_no_byte_is_lost(tmp_path: Path, name: str) -> None:
    root = tmp_path / "tree"
    shutil.copytree(
        Path(sysconfig.get_paths()["stdlib"]) / name, root, ignore=shutil.ignore_patterns("__pycache__")
    )
    result = round_trip(root.resolve(), name, "", 2, tmp_path / "state", random.Random(name))
    assert result.odd_files > 20
    assert result.edited > result.files * 0.7
    assert result.hunks_offered > result.hunks_accepted > 0
    assert set(result.refused) == {"binary", "not utf-8", "link (its file is edited)"}
