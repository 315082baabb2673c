import io
import sys

import pytest

from seedcli.patches.patch import Patch, file_patch
from seedcli.review.line_prompt import review_lines
from tests.seedcli.review.patches import ALPHA_NEW, ALPHA_OLD, BETA_NEW, two_files, unchanged


def answer(keys, patch=None, read_bytes=None):
    """The result and what was printed."""
    patch = patch or two_files()
    output = io.StringIO()
    text = "".join(f"{key}\n" for key in keys)
    result = review_lines(
        patch,
        title="seed edit",
        read_bytes=read_bytes or unchanged(patch),
        input=io.StringIO(text),
        output=output,
    )
    return result, output.getvalue()


def accepted(result):
    return {file.path: file.new for file in result.files}


def test_yes_to_all():
    result, _ = answer("yyyy")
    assert accepted(result) == {"alpha.txt": ALPHA_NEW, "pkg/beta.py": BETA_NEW}


def test_no_then_rest_of_file_then_drop():
    result, _ = answer("nad")
    assert accepted(result) == {"alpha.txt": ALPHA_NEW.replace(b"line five", b"line 5")}


def test_hunks_look_as_in_git():
    _, printed = answer("q")
    assert "\nalpha.txt  +2 -2\n@@ -5,1 +5,1 @@" in printed
    assert "\n line 4\n-line 5\n+line five\n line 6\n" in printed
    assert printed.endswith("(1/3) Take this hunk [y,n,q,a,d,j,k,e,u,?]? ")


def test_quitting_asks_before_what_was_accepted_is_written():
    kept, printed = answer("yqy")
    assert accepted(kept) == {"alpha.txt": ALPHA_OLD.replace(b"line 5\n", b"line five\n")}
    assert "Write what was accepted (1 hunk) [y,n]?" in printed
    assert answer("yqn")[0] == Patch(())
    assert answer("q")[0] == Patch(())


def test_the_end_of_the_input_writes_nothing():
    assert answer("yy")[0] == Patch(())


def test_skipping_and_undo():
    result, _ = answer("jnukyddd")
    assert accepted(result) == {"alpha.txt": ALPHA_OLD.replace(b"line 5\n", b"line five\n")}


def test_help_and_unknown_keys():
    _, printed = answer(["?", "x", "q"])
    assert printed.count("y - take this hunk\n") == 2


def test_an_edit_is_taken(monkeypatch, tmp_path):
    script = tmp_path / "ed.py"
    script.write_text("import sys; open(sys.argv[1], 'w').write('    return 0\\n')")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    result, _ = answer("de")
    assert accepted(result) == {"pkg/beta.py": b"def total(items):\n    return 0\n"}


def test_a_file_that_changed_is_refused():
    result, printed = answer(
        "yny", read_bytes=lambda path: b"other" if path == "alpha.txt" else two_files().files[1].old
    )
    assert "alpha.txt changed on disk after this patch was made" in printed
    assert result == Patch(())


def test_a_file_that_changes_after_it_was_accepted_is_left_out():
    disk = {file.path: file.old for file in two_files().files}

    class Keys(io.StringIO):
        def readline(self):
            line = super().readline()
            if line == "n\n":
                disk["alpha.txt"] = b"other"
            return line

    output = io.StringIO()
    result = review_lines(two_files(), title="", read_bytes=disk.get, input=Keys("a\nn\n"), output=output)
    assert result == Patch(())
    assert "alpha.txt changed on disk meanwhile" in output.getvalue()


def test_interrupting_gives_none():
    class Interrupted(io.StringIO):
        def readline(self):
            raise KeyboardInterrupt

    result = review_lines(
        two_files(), title="", read_bytes=unchanged(two_files()), input=Interrupted(), output=io.StringIO()
    )
    assert result is None


def test_hidden_characters_and_notes_are_told():
    patch = Patch((file_patch("a\x1b.py", b"x\r\n", "x\u202e\n".encode()),))
    _, printed = answer("q", patch)
    assert r"+x\u202e" in printed
    assert "hidden characters" in printed
    assert r"a\x1b.py" in printed
    assert "! line endings change from CRLF to LF" in printed
    assert "-x^M" in printed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_gets_escapes(encoding):
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding=encoding)
    patch = Patch((file_patch("a.py", b"", "日\n".encode()),))
    review_lines(patch, title="", read_bytes=unchanged(patch), input=io.StringIO("q\n"), output=output)
    output.flush()
    assert rb"+\u65e5" in raw.getvalue()


@pytest.mark.parametrize(
    ("keys", "kept"), [("q", 2), ("nqn", 2), ("ddy", 0), ("ddn", 0), ("yyyn", 1), ("ynqy", 2)]
)
def test_of_an_applied_patch_only_what_is_rejected_is_left_out(keys, kept):
    patch, output = two_files(), io.StringIO()
    text = "".join(f"{key}\n" for key in keys)
    result = review_lines(
        patch, title="", read_bytes=unchanged(patch), input=io.StringIO(text), output=output, applied=True
    )
    assert "Keep this hunk" in output.getvalue()
    assert len(result.files) == kept
    assert (result == patch) == (keys in ("q", "nqn"))
