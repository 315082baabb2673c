"""`seed edit --new`: files that are made are hunks like any other, and undone like any other."""

import json
import os
import sys
from pathlib import Path

import pytest

from engine.requests import EditRequest, Proposal
from seedcli.model_client import ScriptedModel
from seedcli.patches.patch import Patch
from tests.seedcli.commands.conftest import ADD_FIXED, SUB, Seed, git
from tests.seedcli.commands.scripted import replacing

TEST = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"


def writing(text: str = TEST) -> ScriptedModel:
    """Writes `text` into what is empty, and repairs the rest."""
    repair = replacing({"a - b": "a + b"})
    return ScriptedModel(lambda request: repair(request) if request.region else text)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in root.rglob("*")
        if ".git" not in path.parts
    }


def test_a_new_file_is_a_hunk_of_the_patch(repo: Path, seed: Seed) -> None:
    before = tree(repo)
    result = seed("edit", "fix add and test it", "calc.py", "--new", "tests/test_calc.py", model=writing())
    assert result.code == 1
    assert tree(repo) == before
    assert b"\nnew file mode 100644\n--- /dev/null\n+++ b/tests/test_calc.py\n@@ -0,0 +1,5 @@\n" in result.out
    assert "2 files changed (+6 -1)" in result.err
    git(repo, "apply", stdin=result.out)
    assert (repo / "tests/test_calc.py").read_text() == TEST


def test_written_undone_and_written_again(repo: Path, seed: Seed) -> None:
    before = tree(repo)
    new = "deep/down/test_calc.py"
    result = seed("edit", "-y", "--json", "fix and test", "calc.py", "--new", new, model=writing())
    assert (result.code, result.json["outcome"]) == (0, "applied")
    assert result.json["files"][1] == {"path": new, "hunks": 1, "added": 5, "removed": 0}
    assert (repo / new).read_text() == TEST
    assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB
    umask = os.umask(0)
    os.umask(umask)
    assert (repo / new).stat().st_mode & 0o777 == 0o666 & ~umask
    assert seed("undo").code == 0
    assert tree(repo) == before
    assert seed("redo").code == 0
    assert (repo / new).read_text() == TEST


def test_undo_leaves_a_folder_that_holds_something_else_by_now(repo: Path, seed: Seed) -> None:
    assert seed("edit", "-y", "test add", "--new", "tests/a/test_calc.py", model=writing()).code == 0
    (repo / "tests/mine.py").write_text("")
    assert seed("undo").code == 0
    assert set(tree(repo)) == {"calc.py", "tests", "tests/mine.py"}


def test_undo_refuses_a_new_file_that_was_changed_since(repo: Path, seed: Seed) -> None:
    assert seed("edit", "-y", "test add", "--new", "test_calc.py", model=writing()).code == 0
    (repo / "test_calc.py").write_text(TEST + "\n# mine\n")
    assert seed("undo").code == 4
    assert (repo / "test_calc.py").read_text() == TEST + "\n# mine\n"


def test_a_target_is_not_needed(repo: Path, seed: Seed) -> None:
    model = writing()
    result = seed(
        "edit", "-y", "test add", "--context", "calc.py", "--new", "t.py", "--new", "t.py", model=model
    )
    assert result.code == 0
    assert (repo / "t.py").read_text() == TEST
    (asked,) = model.asked
    assert (asked.instruction, asked.region) == ("test add", "")


def test_a_file_that_comes_to_be_meanwhile_is_not_overwritten(repo: Path, seed: Seed) -> None:
    def meddling(request: EditRequest) -> str | None:
        (repo / "t.py").write_text("mine\n")
        return replacing({"a - b": "a + b"})(request) if request.region else TEST

    before = (repo / "calc.py").read_bytes()
    result = seed("edit", "-y", "fix", "calc.py", "--new", "t.py", model=ScriptedModel(meddling))
    assert result.code == 4
    assert "t.py exists by now" in result.err
    assert ((repo / "t.py").read_text(), (repo / "calc.py").read_bytes()) == ("mine\n", before)


def test_what_is_reviewed_may_be_the_new_file_alone(
    repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the review does it: the hunk of the old file is rejected, that of the new one accepted."""

    def accept_new(patch: Patch, *args: object, **kwargs: object) -> Patch:
        return Patch(tuple(file for file in patch.files if file.old is None))

    monkeypatch.setattr("seedcli.delivering.ask", accept_new)
    monkeypatch.setattr("seedcli.editing.choose_mode", lambda **flags: "review")
    result = seed("edit", "--json", "fix", "calc.py", "--new", "tests/t.py", model=writing())
    assert (result.code, result.json["outcome"]) == (1, "partly_applied")
    assert (repo / "tests/t.py").read_text() == TEST
    assert b"a - b" in (repo / "calc.py").read_bytes()


def test_a_patch_that_makes_a_file_is_reviewed_written_and_undone(repo: Path, seed: Seed) -> None:
    before = tree(repo)
    patch = seed("edit", "test add", "--new", "tests/t.py", model=writing()).out
    (repo.parent / "new.patch").write_bytes(patch)
    assert seed("review", "-y", "../new.patch").code == 0
    assert (repo / "tests/t.py").read_text() == TEST
    assert "already applied" in seed("review", "-y", "../new.patch").err
    assert seed("undo").code == 0
    assert tree(repo) == before


def test_a_check_sees_the_new_file(repo: Path, seed: Seed) -> None:
    before = tree(repo)
    check = f"{sys.executable} tests/t.py && grep -q 'a + b' calc.py"
    new = ("--new", "tests/t.py")
    result = seed("edit", "--check", check, "fix", "calc.py", *new, model=writing("X = 1\n"))
    assert (result.code, tree(repo)) == (1, before)
    assert "passed the check" in result.err
    result = seed("edit", "-y", "--check", "test ! -e tests/t.py", "fix", "calc.py", *new, model=writing())
    assert (result.code, tree(repo)) == (5, before)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "t.py:1: the model would write nothing into the new file"),
        ("", "the edit found changes nothing"),
        ("def f(:\n", "would not parse"),
        (Proposal("unsure", (), "not sure", 0.5, 1, 1, 0), "not sure"),
    ],
)
def test_a_file_that_is_not_written_is_no_success(
    repo: Path, seed: Seed, answer: str | Proposal | None, message: str
) -> None:
    result = seed("edit", "--json", "test add", "--new", "t.py", model=ScriptedModel(lambda request: answer))
    assert (result.code, result.json["outcome"]) == (3, "no_edit")
    assert message in result.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("calc.py", "--new calc.py exists already; name it as a target"),
        ("../t.py", "is outside"),
        ("/tmp/t.py", "is outside"),
        ("calc.py/t.py", "calc.py is a file; name another folder"),
        (".git/hooks/pre-commit", "inside .git"),
        ("tests/", "names no file"),
        ("", "names no file"),
        ("build/t.py", "pass --force"),
        (".env", "pass --force"),
        ("link/t.py", "is outside"),
    ],
)
def test_places_where_no_file_is_made(repo: Path, seed: Seed, name: str, message: str) -> None:
    (repo / ".gitignore").write_text("build/\n")
    (repo / "link").symlink_to(repo.parent)
    result = seed("edit", "-y", "test add", "--new", name, model=writing())
    assert result.code == 2
    assert message in result.err


def test_force_makes_what_is_ignored(repo: Path, seed: Seed) -> None:
    (repo / ".gitignore").write_text("build/\n")
    assert seed("edit", "-y", "--force", "test add", "--new", "build/t.py", model=writing()).code == 0


def test_paths_are_relative_to_the_folder(repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "sub").mkdir()
    monkeypatch.chdir(repo / "sub")
    assert seed("edit", "-y", "test add", "--new", "../t.py", "--new", "u.py", model=writing()).code == 0
    assert (repo / "t.py").exists()
    assert (repo / "sub/u.py").exists()


def test_the_model_that_comes_along_says_that_it_cannot(repo: Path, seed: Seed) -> None:
    result = seed("edit", "write tests for add", "--new", "test_calc.py", model=None)
    assert result.code == 3
    assert "the model default was not trained to write new files; it was for fix, rename," in result.err


class TestBatch:
    """Jobs that make files."""

    def test_a_job_makes_a_file_and_a_second_one_does_not_overwrite_it(self, repo: Path, seed: Seed) -> None:
        jobs = [
            {"id": 1, "instruction": "fix", "target": "calc.py", "options": {"new": "tests/t.py"}},
            {"id": 2, "instruction": "test", "options": {"new": ["tests/t.py"]}},
        ]
        lines = "".join(json.dumps(job) + "\n" for job in jobs).encode()
        result = seed("batch", "-y", "-", stdin=lines, model=writing())
        first, second = map(json.loads, result.out.splitlines())
        assert (first["outcome"], second["outcome"]) == ("applied", "error")
        assert "exists already" in second["message"]
        assert seed("undo", first["run"]).code == 0
        assert not (repo / "tests").exists()

    def test_the_model_that_comes_along_says_that_it_cannot(self, repo: Path, seed: Seed) -> None:
        job = {"id": 1, "recipe": "docstrings", "target": "calc.py"}
        result = seed("batch", "-", stdin=json.dumps(job).encode(), model=None)
        assert result.code == 1
        assert "was not trained for the recipe 'docstrings'" in json.loads(result.out)["message"]
