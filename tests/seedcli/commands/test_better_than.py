"""What aider 0.86.2 was seen to do wrong, case by case, and Seed does right."""

import threading
import time
from pathlib import Path

from engine.requests import EditRequest, Proposal
from seedcli.model_client import ScriptedModel
from tests.seedcli.commands.conftest import ADD, Seed, git
from tests.seedcli.commands.scripted import replacing

MISFIT = b"""--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def multiply(a, b):
-    return a // b
+    return a * b
"""


def test_1_an_edit_that_finds_no_place_is_no_success(repo: Path, seed: Seed) -> None:
    """Seen: an edit that matches nothing exits 0."""
    unsure = Proposal("unsure", (), "nothing that I would stand by", 0.4, 1, 1, 9)
    result = seed("edit", "-y", "fix the bug", "calc.py::add", model=ScriptedModel(lambda request: unsure))
    assert result.code == 3
    result = seed("review", "-y", "-", stdin=MISFIT)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert git(repo, "status", "--porcelain") == b""


def test_2_of_two_files_both_are_written_or_none(repo: Path, seed: Seed) -> None:
    """Seen: of a two-file edit whose second part fails, the first is already written."""
    (repo / "second.py").write_text(ADD)
    before = (repo / "calc.py").read_bytes()

    def answer(request: EditRequest) -> str | None:
        (repo / "second.py").write_text("moved = True\n")
        return replacing({"a - b": "a + b"})(request)

    result = seed("edit", "-y", "fix the bug", "calc.py", "second.py", model=ScriptedModel(answer))
    assert result.code == 4
    assert (repo / "calc.py").read_bytes() == before
    assert (repo / "second.py").read_text() == "moved = True\n"


def test_3_one_line_of_a_crlf_file_is_one_line(repo: Path, seed: Seed) -> None:
    """Seen: editing one line of a 3-line CRLF file changes 3 lines."""
    path = repo / "dos.py"
    path.write_bytes(b"def f(a, b):\r\n    x = a - b\r\n    return x\r\n")
    result = seed("edit", "--json", "-y", "fix the bug", "dos.py")
    assert result.json["files"] == [{"path": "dos.py", "hunks": 1, "added": 1, "removed": 1}]
    assert path.read_bytes() == b"def f(a, b):\r\n    x = a + b\r\n    return x\r\n"


def test_4_nothing_outside_the_root_is_written(repo: Path, seed: Seed) -> None:
    """Seen: `../evil.py` with --yes-always creates a file outside the repository."""
    (repo.parent / "evil.py").write_text(ADD)
    for target in ("../evil.py", str(repo.parent / "evil.py")):
        assert seed("edit", "-y", "--force", "fix the bug", target).code == 2
    assert (repo.parent / "evil.py").read_text() == ADD
    for name in (b"../new.py", b"/tmp/seed-new.py", b".git/new.py", b"a/../../new.py"):
        patch = b"--- /dev/null\n+++ %s\n@@ -0,0 +1 @@\n+x = 1\n" % name
        assert seed("review", "-y", "-", stdin=patch).code == 2
    assert not (repo.parent / "new.py").exists()
    assert not Path("/tmp/seed-new.py").exists()
    assert not (repo / ".git" / "new.py").exists()


def test_5_a_reader_sees_the_old_file_or_the_new_one(repo: Path, seed: Seed) -> None:
    """Seen: writes are not atomic."""
    path = repo / "big.py"
    old = ADD + "# " + "x" * 500_000 + "\n"
    new = old.replace("a - b", "a + b")
    path.write_text(old)
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(5):
            assert seed("edit", "-y", "fix the bug", "big.py::add").code == 0
            assert seed("undo").code == 0
    finally:
        done.set()
        watcher.join()
    assert seen <= {old, new}
    assert not [name for name in repo.iterdir() if name.name.startswith(".seed")]


def test_6_without_a_model_it_says_so_at_once(repo: Path, seed: Seed) -> None:
    """Seen: with the model server down it is still retrying after 60 s."""
    started = time.monotonic()
    result = seed("edit", "-y", "--model", "down", "fix the bug", "calc.py", model=None)
    assert result.code == 3
    assert time.monotonic() - started < 10
    assert "no model 'down'" in result.err
