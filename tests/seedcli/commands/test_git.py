"""`seed edit` and git: changes and conflicts as targets, what git tells the model, commits of the run alone."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.requests import EditRequest
from seedcli.model_client import ScriptedModel
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, SUB, Seed, git
from tests.seedcli.commands.scripted import replacing

SUB_FIXED = SUB.replace("+", "-")
MERGED = "    return a - b - c + d\n"


@pytest.fixture(autouse=True)
def user(home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = T\n\temail = t@example.com\n")


def fixing() -> ScriptedModel:
    """A model that swaps the operators of both functions."""
    return ScriptedModel({ADD: ADD_FIXED, SUB: SUB_FIXED})


def commit(root: Path, message: str = "next") -> None:
    git(root, "add", ".")
    git(root, "commit", "-qm", message)


class TestChanges:
    def test_only_what_was_changed_is_edited(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text(ADD.replace("a - b", "a  -  b") + "\n\n" + SUB)
        model = ScriptedModel(replacing({"a  -  b": "a + b"}))
        result = seed("edit", "-y", "--changed", "fix the bug", model=model)
        assert result.code == 0
        assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB
        assert "calc.py: unstaged, 1 region\n" in result.err
        assert [request.region for request in model.asked] == [ADD.replace("a - b", "a  -  b")]

    def test_states_are_named(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text("import os\n\n\n" + ADD + "\n\n" + SUB)
        git(repo, "add", ".")
        (repo / "calc.py").write_text("import os\n\n\n" + ADD + "\n\n" + SUB + "\n\nx = 1\n")
        (repo / "new.py").write_text(ADD)
        (repo / "notes.md").write_text("text\n")
        result = seed("edit", "--changed", "fix the bug", model=fixing())
        assert "calc.py: staged and unstaged, 2 regions\n" in result.err
        assert "new.py: untracked, 1 region\n" in result.err
        assert "left out: 1 changed file without code that may be edited: notes.md\n" in result.err
        assert result.out.count(b"diff --git") == 1
        assert b"+++ b/new.py" in result.out

    def test_staged_and_since(self, repo: Path, seed: Seed) -> None:
        (repo / "other.py").write_text(ADD)
        commit(repo)
        (repo / "third.py").write_text(ADD)
        git(repo, "add", ".")
        (repo / "calc.py").write_text(ADD.replace("add", "plus") + "\n\n" + SUB)
        staged = seed("edit", "--staged", "fix the bug", model=fixing())
        assert staged.err.startswith("seed: third.py: staged, 1 region\n")
        since = seed("edit", "--since", "HEAD~1", "fix the bug", model=fixing())
        assert [line for line in since.err.splitlines() if "region" in line] == [
            "seed: calc.py: unstaged, 1 region",
            "seed: other.py: committed, 1 region",
            "seed: third.py: staged, 1 region",
        ]

    def test_targets_bound_the_changes(self, repo: Path, seed: Seed) -> None:
        (repo / "sub").mkdir()
        for name in ("a.py", "sub/b.py", "sub/c.py"):
            (repo / name).write_text(ADD + "\n\n" + SUB)
        places = {
            ("sub",): ["sub/b.py", "sub/c.py"],
            ("sub/b.py", "a.py"): ["a.py", "sub/b.py"],
            ("calc.py",): [],
        }
        for targets, names in places.items():
            result = seed("edit", "--changed", "fix", *targets, model=fixing())
            assert [line.split(":")[1].strip() for line in result.err.splitlines()[:-1]] == names
        model = fixing()
        seed("edit", "--changed", "fix", "sub/b.py::sub", "a.py:1-2", model=model)
        assert [request.region for request in model.asked] == [ADD, SUB]

    def test_loose_lines_of_a_class_are_a_region(self, repo: Path, seed: Seed) -> None:
        text = "class A:\n    limit = 1\n    other = 2\n\n    def f(self):\n        return 0\n"
        (repo / "calc.py").write_text(text)
        commit(repo)
        (repo / "calc.py").write_text(text.replace("limit = 1", "limit = 3"))
        model = ScriptedModel({})
        seed("edit", "--changed", "fix", model=model)
        assert [request.region for request in model.asked] == ["    limit = 3\n"]

    @pytest.mark.parametrize(
        ("flags", "code", "words"),
        [
            (("--changed",), 0, "there is nothing to edit: no code that --changed finds"),
            (("--staged",), 0, "no code that --staged finds"),
            (("--since", "HEAD"), 0, "no code that --since HEAD finds"),
            (("--conflicts",), 0, "there is nothing to edit: no conflicts"),
            (("--since", "nowhere"), 2, "'nowhere' is no commit here"),
            (("--staged", "--changed"), 2, "--staged and --changed both say what to edit"),
            (("-m", "x"), 2, "--message is for a commit; give --commit too"),
            (("--changed", "--commit"), 2, "--commit commits what is written; give -y"),
            (("-y", "--changed", "--commit", "-m", " "), 2, "--message is empty"),
            (("--conflicts", "--recipe", "fix"), 2, "--conflicts says what to do; leave out --recipe"),
        ],
    )
    def test_nothing_to_do_and_flags_that_make_no_sense(
        self, repo: Path, seed: Seed, flags: Sequence[str], code: int, words: str
    ) -> None:
        instruction = () if "--conflicts" in flags else ("fix",)
        result = seed("edit", *flags, *instruction)
        assert (result.code, result.out, words in result.err) == (code, b"", True), result.err

    def test_secret_linked_and_foreign_files_are_left_out(self, repo: Path, seed: Seed) -> None:
        (repo / ".seedignore").write_text("kept.py\n")
        (repo / "kept.py").write_text(ADD)
        (repo / ".env.py").write_text(ADD)
        (repo / "link.py").symlink_to("calc.py")
        model = fixing()
        result = seed("edit", "--changed", "fix", model=model)
        assert (result.code, model.asked) == (0, [])
        assert "left out: 4 changed files" in result.err

    @pytest.mark.parametrize("flag", ["--changed", "--staged", "--with-diff", "--commit"])
    def test_outside_git(
        self, tmp_path: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch, flag: str
    ) -> None:
        (tmp_path / "plain").mkdir()
        (tmp_path / "plain" / "a.py").write_text(ADD)
        monkeypatch.chdir(tmp_path / "plain")
        result = seed("edit", "-y", flag, "fix", "a.py")
        assert result.code == 2
        assert f"{flag} asks git, and" in result.err
        assert (tmp_path / "plain" / "a.py").read_text() == ADD


class TestWhatGitTells:
    def asked(self, seed: Seed, *arguments: str) -> list[EditRequest]:
        model = ScriptedModel({})
        assert seed("edit", *arguments, model=model).code == 0
        return model.asked

    def test_nothing_unless_asked(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text(ADD.replace("-", "*") + "\n\n" + SUB)
        assert {request.context for request in self.asked(seed, "fix", "calc.py")} == {""}

    def test_uncommitted_changes(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text(ADD.replace("-", "*") + "\n\n" + SUB)
        first, _ = self.asked(seed, "--with-diff", "fix", "calc.py")
        assert first.context.startswith("Uncommitted changes (unstaged):\n@@ -1,5 +1,5 @@\n")
        assert "\n-    return a - b\n+    return a * b\n" in first.context

    def test_an_untracked_file(self, repo: Path, seed: Seed) -> None:
        (repo / "new.py").write_text(ADD)
        (only,) = self.asked(seed, "--with-diff", "--with-log", "fix", "new.py")
        assert only.context == "new.py is untracked: nothing of it is committed.\n"

    def test_commits_of_the_region_alone(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text(ADD + "\n\n" + SUB.replace("+", "*"))
        commit(repo, "change sub only")
        (repo / "calc.py").write_text("import os\n\n\n" + ADD + "\n\n" + SUB.replace("+", "*"))
        _, add, sub = self.asked(seed, "--with-log", "fix", "calc.py")
        assert add.context.startswith("Recent commits of these lines:\n")
        assert add.context.rstrip("\n").endswith(" first")
        assert add.context.count("\n") == 2
        assert "change sub only\n" in sub.context
        assert sub.context.count("\n") == 3

    def test_near_hunks_go_before_far_ones_and_there_is_a_limit(self, repo: Path, seed: Seed) -> None:
        blocks = [f"def f{i}():\n    return {i}\n\n\n" + "# filler\n" * 20 for i in range(40)]
        (repo / "calc.py").write_text("".join(blocks))
        commit(repo)
        (repo / "calc.py").write_text("".join(block.replace("return", "return 0 +") for block in blocks))
        (only,) = self.asked(seed, "--with-diff", "fix", "calc.py::f20")
        assert "return 0 + 20" in only.context
        assert "return 0 + 18" in only.context
        assert "return 0 + 1\n" not in only.context
        assert len(only.context) < 4100

    def test_it_stands_in_the_prompt_that_is_shown(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text(ADD.replace("-", "*") + "\n\n" + SUB)
        result = seed("edit", "--with-diff", "--show-prompt", "fix", "calc.py::add")
        assert "seed: beside calc.py:1: -    return a - b\n" in result.err
        assert "was trained without context; it sees the regions alone" in result.err


class TestCommit:
    def test_only_the_runs_hunks(self, repo: Path, seed: Seed) -> None:
        (repo / "other.py").write_text("x = 1\n")
        git(repo, "add", "other.py")
        result = seed("edit", "-y", "--json", "--commit", "-m", "Mend add", "fix the bug", "calc.py")
        assert (result.code, result.json["outcome"]) == (0, "applied")
        assert git(repo, "rev-parse", "HEAD").decode().strip() == result.json["commit"]
        assert git(repo, "show", "--format=%s", "--name-only") == b"Mend add\n\ncalc.py\n"
        assert git(repo, "status", "--porcelain") == b"A  other.py\n"
        assert f"committed as {result.json['commit'][:10]} on master; `seed undo`" in result.json["message"]
        assert seed("undo").code == 0
        assert git(repo, "status", "--porcelain") == b" M calc.py\nA  other.py\n"

    def test_the_instruction_is_the_message(self, repo: Path, seed: Seed) -> None:
        assert seed("edit", "-y", "--commit", "fix the bug", "calc.py").code == 0
        assert git(repo, "log", "-1", "--format=%B") == b"fix the bug\n\n"

    def test_an_overlap_is_refused_and_the_edit_can_be_undone(self, repo: Path, seed: Seed) -> None:
        mine = ADD.replace("return", "return  ") + "\n\n" + SUB
        (repo / "calc.py").write_text(mine)
        result = seed("edit", "-y", "--json", "--commit", "fix the bug", "calc.py")
        assert (result.code, result.json["outcome"], result.json["commit"]) == (4, "not_committed", None)
        assert "overlaps uncommitted changes of yours in calc.py" in result.json["message"]
        assert git(repo, "log", "--format=%s") == b"first\n"
        assert b"a + b" in (repo / "calc.py").read_bytes()
        assert result.json["run"]
        assert seed("undo").code == 0
        assert (repo / "calc.py").read_text() == mine

    def test_without_an_edit_there_is_no_commit(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "-y", "--json", "--commit", "fix", "calc.py", model=ScriptedModel({}))
        assert (result.code, result.json["commit"]) == (0, None)
        assert git(repo, "log", "--format=%s") == b"first\n"

    def test_what_cannot_be_committed_is_refused_before_the_model_is_asked(
        self, repo: Path, home: Path, seed: Seed
    ) -> None:
        (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        model = fixing()
        result = seed("edit", "-y", "--commit", "fix", "calc.py", model=model)
        assert (result.code, model.asked) == (2, [])
        assert "git does not know who you are" in result.err


class TestConflicts:
    @pytest.fixture
    def merging(self, repo: Path) -> Path:
        """A merge with a conflict in `add`."""
        git(repo, "checkout", "-q", "-b", "side")
        (repo / "calc.py").write_text(ADD.replace("a - b", "a - b + d") + "\n\n" + SUB)
        commit(repo)
        git(repo, "checkout", "-q", "master")
        (repo / "calc.py").write_text(ADD.replace("a - b", "a - b - c") + "\n\n" + SUB)
        commit(repo)
        subprocess.run(["git", "merge", "side"], cwd=repo, capture_output=True, check=False)
        assert git(repo, "status", "--porcelain") == b"UU calc.py\n"
        return repo

    def test_a_conflict_is_resolved_and_the_file_parses(self, merging: Path, seed: Seed) -> None:
        model = ScriptedModel(lambda request: MERGED)
        result = seed("edit", "-y", "--conflicts", model=model)
        assert result.code == 0, result.err
        assert (merging / "calc.py").read_text() == "def add(a, b):\n" + MERGED + "\n\n" + SUB
        assert "calc.py did not parse, and does now" in result.err
        (request,) = model.asked
        assert request.region.startswith("<<<<<<< HEAD\n")
        assert request.region.endswith(">>>>>>> side\n")
        assert request.instruction == "resolve the merge conflict"
        assert request.context == (
            "before both:\n    return a - b\nours (HEAD):\n    return a - b - c\ntheirs (side):\n"
            "    return a - b + d\n"
        )
        # That it is resolved is for the user to tell git.
        assert git(merging, "status", "--porcelain") == b"UU calc.py\n"

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (None, "calc.py:2: the model leaves the conflict as it stands"),
            (MERGED + ">>>>>>> side\n", "calc.py:2: the edit found leaves conflict markers"),
            (MERGED + "=======\n", "leaves conflict markers"),
            ("    return (a\n", "the edit found would not parse"),
        ],
    )
    def test_what_does_not_resolve_it_is_refused(
        self, merging: Path, seed: Seed, answer: str | None, words: str
    ) -> None:
        before = (merging / "calc.py").read_bytes()
        result = seed("edit", "-y", "--conflicts", model=ScriptedModel(lambda request: answer))
        assert (result.code, words in result.err) == (3, True), result.err
        assert (merging / "calc.py").read_bytes() == before

    def test_markers_are_enough_without_git(
        self, tmp_path: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "plain").mkdir()
        monkeypatch.chdir(tmp_path / "plain")
        one = "<<<<<<< a\nx = 1\n||||||| o\nx = 0\n=======\nx = 2\n>>>>>>> b\n"
        Path("a.txt").write_bytes((one + "y\n" + one).replace("\n", "\r\n").encode())
        model = ScriptedModel(lambda request: "x = 3\n")
        assert seed("edit", "-y", "--conflicts", "a.txt:9", model=model).code == 0
        assert Path("a.txt").read_bytes() == (one + "y\nx = 3\n").replace("\n", "\r\n").encode()
        (request,) = model.asked
        assert request.context.startswith("before both:\nx = 0\nours (a):\nx = 1\n")
        assert seed("edit", "--conflicts").code == 2

    def test_some_of_several(self, merging: Path, seed: Seed) -> None:
        """A conflict without an answer stays as it is; the others are judged as if it were ours."""
        text = (merging / "calc.py").read_text()
        (merging / "calc.py").write_text(text + "\n\n" + text.replace("add", "plus").replace("sub", "less"))
        model = ScriptedModel(
            lambda request: MERGED if len(model.asked) and request is model.asked[0] else None
        )
        result = seed("edit", "-y", "--conflicts", model=model)
        assert result.code == 0
        assert "calc.py did not parse, and still does not" in result.err
        assert (merging / "calc.py").read_text().count("<<<<<<<") == 1

    def test_it_cannot_be_committed(self, merging: Path, seed: Seed) -> None:
        result = seed("edit", "-y", "--commit", "--conflicts")
        assert (result.code, "a merge is under way" in result.err) == (2, True)

    def test_an_ordinary_edit_amid_a_merge(self, merging: Path, seed: Seed) -> None:
        (merging / "other.py").write_text(ADD)
        assert seed("edit", "-y", "fix the bug", "other.py").code == 0
        assert (merging / "other.py").read_text() == ADD_FIXED
        result = seed("edit", "--changed", "fix the bug")
        assert result.code in (0, 1)
        assert "calc.py: conflicted, " in result.err
