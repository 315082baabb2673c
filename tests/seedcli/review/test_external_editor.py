import sys

import pytest

from seedcli.errors import SettingsError
from seedcli.patches.patch import Hunk
from seedcli.review.external_editor import edit_lines, with_endings_of


def editor(monkeypatch, tmp_path, code):
    """An editor that runs Python on the file's bytes, `data`."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import pathlib, sys\nfile = pathlib.Path(sys.argv[-1])\ndata = file.read_bytes()\n"
        + code
        + "\nfile.write_bytes(data)\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script} --wait")


def test_the_editor_gets_the_new_lines_and_gives_others(monkeypatch, tmp_path):
    editor(
        monkeypatch, tmp_path, "assert data == b'new\\n' and file.suffix == '.py'; data = b'mine\\ntwo\\n'"
    )
    assert edit_lines(Hunk(0, (b"old\n",), 0, (b"new\n",)), "src/a.py") == (b"mine\n", b"two\n")


@pytest.mark.parametrize(
    ("command", "words"), [("vim '", "is no command"), (" ", "is no command"), ("rm", "left no file")]
)
def test_an_editor_that_is_none_is_named(monkeypatch, command, words):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)
    with pytest.raises(SettingsError, match=words):
        edit_lines(Hunk(0, (b"old\n",), 0, (b"new\n",)), "a.py")


def test_unchanged_lines_are_no_edit(monkeypatch, tmp_path):
    editor(monkeypatch, tmp_path, "")
    assert edit_lines(Hunk(0, (b"old\r\n",), 0, (b"new\r\n",)), "a.py") is None


def test_visual_goes_before_editor(monkeypatch, tmp_path):
    editor(monkeypatch, tmp_path, "raise SystemExit(1)")
    monkeypatch.setenv("VISUAL", "true")
    assert edit_lines(Hunk(0, (), 0, (b"new\n",)), "a.py") is None


def test_a_failing_editor_is_an_error(monkeypatch, tmp_path):
    editor(monkeypatch, tmp_path, "raise SystemExit(3)")
    with pytest.raises(SettingsError, match="ended with 3"):
        edit_lines(Hunk(0, (), 0, (b"new\n",)), "a.py")
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    with pytest.raises(SettingsError, match="'/no/such/editor' cannot be started"):
        edit_lines(Hunk(0, (), 0, (b"new\n",)), "a.py")


@pytest.mark.parametrize(
    ("old", "new", "edited", "lines"),
    [
        ((b"a\r\n",), (b"b\r\n",), b"x\ny\n", (b"x\r\n", b"y\r\n")),
        ((b"a\r\n",), (b"b\n",), b"x\n", (b"x\n",)),
        ((b"a",), (b"b",), b"b\n", (b"b",)),
        ((b"a\n",), (b"b\n",), b"x", (b"x\n",)),
        ((b"a\n",), (), b"", ()),
        ((b"a\n",), (), b"x", (b"x\n",)),
        ((), (), b"x\n", (b"x\n",)),
    ],
)
def test_endings_are_those_of_the_hunk(old, new, edited, lines):
    assert with_endings_of(Hunk(0, old, 0, new), edited) == lines
