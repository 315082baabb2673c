"""The file behind states: whole lines count, and nothing else is ever touched."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcli.errors import ConflictError, SettingsError
from seedcli.kept_lines import KeptLines

BEGINNING = b'{"n": '


def opened(path: Path) -> KeptLines:
    return KeptLines(path, BEGINNING, "run")


@given(count=st.integers(0, 5), cut=st.integers(0, 12))
def test_a_cut_line_is_cut_away_and_the_rest_is_there(
    tmp_path_factory: pytest.TempPathFactory, count: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "state"
    lines = opened(path)
    offsets = [lines.append({"n": i, "text": "\udcff\n"}) for i in range(count)]
    lines.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"n": 99, "a": 1}'[:cut])
    lines = opened(path)
    assert list(lines.read()) == [(offset, {"n": i, "text": "\udcff\n"}) for i, offset in enumerate(offsets)]
    assert path.read_bytes() == whole
    assert [lines.at(offset)["n"] for offset in offsets] == list(range(count))
    lines.close()


@pytest.mark.parametrize("text", ["notes of mine\n", '{"m": 1}\n', "\n"])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes"
    path.write_text(text)
    with pytest.raises(SettingsError, match="notes is no state of a run; name another file with --state"):
        opened(path)
    assert path.read_text() == text


def test_one_process_at_a_time(tmp_path: Path) -> None:
    lines = opened(tmp_path / "state")
    with pytest.raises(ConflictError, match="another run works with the state"):
        opened(tmp_path / "state")
    lines.close()
    opened(tmp_path / "state").close()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written: No such file or directory"):
        opened(tmp_path / "missing" / "state")
