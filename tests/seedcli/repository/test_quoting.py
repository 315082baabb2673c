import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcli.repository.quoting import quoted, target_unquoted, unquoted

NAMES = [
    "plain.py",
    "two words.py",
    'a"b.py',
    "back\\slash.py",
    "tab\there.py",
    "é.py",
    "line\nend.py",
    "\udcff.py",
]


@given(st.binary(min_size=1).filter(lambda raw: b"\0" not in raw))
def test_what_is_quoted_is_unquoted(raw: bytes) -> None:
    name = os.fsdecode(raw)
    shown = quoted(name)
    assert "\n" not in shown
    if shown != name:
        assert unquoted(os.fsencode(shown)) == raw
        assert target_unquoted(shown + "::f") == name + "::f"


def test_as_git_does(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name in NAMES:
        (tmp_path / name).touch()
    command = ["git", "ls-files", "--others"]
    printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout.splitlines()
    assert sorted(os.fsdecode(unquoted(name)) for name in printed) == sorted(NAMES)
    assert {os.fsdecode(name) for name in printed} == {quoted(name) for name in NAMES}


@pytest.mark.parametrize("name", ['"', '"open', 'half"', 'a"b"', "", '""tail'])
def test_what_is_not_in_quotes_stays(name: str) -> None:
    assert os.fsdecode(unquoted(os.fsencode(name))) == name
