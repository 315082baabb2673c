import json
from pathlib import Path

import pytest

from engine.evaluation.ledger import Ledger


def filled(path, header, **options):
    with Ledger(path, header, **options) as ledger:
        return dict(ledger.rows)


def test_rows_are_there_again(tmp_path):
    path = tmp_path / "deep" / "rows.jsonl"
    with Ledger(path, {"model": "a", "tries": [1]}) as ledger:
        ledger.add("one", {"solved": {"1": True}})
    assert filled(path, {"model": "a", "tries": [1]}) == {"one": {"solved": {"1": True}}}


def test_another_header_begins_anew(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Ledger(path, {"model": "a"}) as ledger:
        ledger.add("one", {})
    assert filled(path, {"model": "b"}) == {}
    assert json.loads(path.read_text()) == {"header": {"model": "b"}}


def test_resuming_can_be_declined(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Ledger(path, {}) as ledger:
        ledger.add("one", {})
    assert filled(path, {}, resume=False) == {}


def test_a_row_cut_off_does_not_count_and_harms_no_later_one(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Ledger(path, {}) as ledger:
        ledger.add("one", {})
        ledger.add("two", {})
    path.write_text(path.read_text()[:-9])
    with Ledger(path, {}) as ledger:
        assert list(ledger.rows) == ["one"]
        ledger.add("three", {"x": 1})
    assert filled(path, {}) == {"one": {}, "three": {"x": 1}}


def test_without_a_path_rows_stay_in_memory():
    with Ledger(None, {}) as ledger:
        ledger.add("one", {"x": 1})
        assert ledger.rows == {"one": {"x": 1}}


def test_rows_of_other_settings_are_kept_beside(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Ledger(path, {"model": "a"}) as ledger:
        ledger.add("one", {"x": 1})
    filled(path, {"model": "b"})
    assert filled(tmp_path / "rows.jsonl.before", {"model": "a"}) == {"one": {"x": 1}}


def test_a_full_disk_takes_no_rows_that_were_there(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    with Ledger(path, {}) as ledger:
        ledger.add("one", {"x": 1})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space"):
            Ledger(path, {})
    assert filled(path, {}) == {"one": {"x": 1}}
