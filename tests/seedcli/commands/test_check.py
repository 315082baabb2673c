"""`seed edit --check`: the user's own command chooses, what it tests is the candidate, and the tree stays as it was."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.requests import Candidate, EditRequest, Proposal
from seedcli.checks.plan import Namespaces
from seedcli.checks.running import find_namespaces
from seedcli.model_client import ScriptedModel
from seedcli.patches.patch import Patch
from tests.seedcli.checks.conftest import mark, processes_with
from tests.seedcli.checks.tree import Seen, read_tree
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, Seed, git

__all__ = ["mark"]

HERE = Path(__file__).parents[3]
PYTHON = f"{sys.executable} -S"
"""Without installed packages, which take most of its start."""
IS_RIGHT = f"{PYTHON} -c 'from calc import add; assert add(2, 3) == 5, add(2, 3)'"
WAYS = ("overlay", "bind", "own user", "processes together", "copy", "in place")
few_ways = pytest.mark.parametrize("way", ["overlay", "copy", "in place"], indirect=True)


def answering(*expressions: str) -> ScriptedModel:
    """A model with a candidate for `add` for each expression."""
    texts = [ADD.replace("a - b", expression) for expression in expressions]
    return ScriptedModel(lambda request: texts if request.region == ADD else None)


WRONG_THEN_RIGHT = answering("a * b", "a + b", "a / b")


@pytest.fixture(scope="session")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Namespaces:
    return find_namespaces(tmp_path_factory.mktemp("namespaces"))


@pytest.fixture(autouse=True)
def known_namespaces(offered: Namespaces, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system allows is found out once, not for every run of `seed`."""
    monkeypatch.setattr("seedcli.checking.find_namespaces", lambda folder: offered)


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest, offered: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> Sequence[str]:
    """Each way in which a check can be given a candidate, with the flags that it takes."""
    name: str = request.param
    if name not in ("copy", "in place") and not offered.mounts:
        pytest.skip(f"no namespaces here: {offered.refusal}")
    given = {
        "overlay": offered,
        "bind": replace(offered, overlay=False),
        "own user": replace(offered, own_user=True),
        "processes together": replace(offered, processes=False),
    }.get(name, Namespaces(refusal="not in this test"))
    monkeypatch.setattr("seedcli.checking.find_namespaces", lambda folder: given)
    # The interpreters of the machine that runs the tests are not what is tested.
    monkeypatch.setattr("seedcli.checks.absolute._interpreters", lambda *_: [])
    return ["--check-in-place"] if name == "in place" else []


@pytest.fixture
def tree(repo: Path) -> Iterator[Seen]:
    """The tree before, to which it must be equal afterwards."""
    before = read_tree(repo)
    yield before
    assert read_tree(repo) == before


class TestFirst:
    """`--check-first`: the tree as it is fails, and that says what to edit."""

    @few_ways
    def test_where_it_fails_is_edited_and_told(self, repo: Path, seed: Seed, way: Sequence[str]) -> None:
        before = (repo / "calc.py").read_bytes()
        fails = f"{PYTHON} -c 'from calc import add; assert add(3, \"\") == 5'"
        model = answering("a * b", "a + 2")
        check = ("--check", fails, "--check-first", *way)
        result = seed("edit", "--json", "-n", "2", *check, "fix the bug", model=model)
        assert [(r.instruction, r.region) for r in model.asked] == [
            (
                "fix the bug\nreturn a - b\nTypeError: unsupported operand type(s) for -: 'int' and 'str'",
                ADD,
            )
        ]
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "passed"]
        assert "the tree as it is failed the check" in result.err
        assert (repo / "calc.py").read_bytes() == before

    def test_what_tests_say_of_a_result_is_told_of_the_target(
        self, repo: Path, seed: Seed, tree: Seen
    ) -> None:
        check = ("--check", IS_RIGHT, "--check-first")
        model = answering("a * b", "a + b")
        result = seed("edit", "--json", "-n", "2", *check, "fix the bug", "calc.py::add", model=model)
        assert [r.instruction for r in model.asked] == ["fix the bug\nAssertionError: -1"]
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "passed"]

    def test_several_targets_that_it_does_not_name_are_told_nothing(
        self, repo: Path, seed: Seed, tree: Seen
    ) -> None:
        model = answering("a * b", "a + b")
        result = seed("edit", "--check", IS_RIGHT, "--check-first", "fix the bug", "calc.py", model=model)
        assert {r.instruction for r in model.asked} == {"fix the bug"}
        assert len(model.asked) == 2
        assert "nothing in the targets came up in the failure" in result.err

    def test_guesses_for_several_regions_are_tried_one_by_one(
        self, repo: Path, seed: Seed, tree: Seen
    ) -> None:
        def guess(request: EditRequest) -> Proposal:
            texts = [request.region.replace("a - b", wrong) for wrong in ("a * b", "a + b")]
            if request.region != ADD:
                texts = [request.region.replace("return", "yield")]
            candidates = tuple(Candidate(text, 0.4, 1, 1) for text in texts)
            return Proposal("edit", candidates, "", 0.5, 1, 1, 1, stands=False)

        model = ScriptedModel(guess)
        check = ("--check", IS_RIGHT, "--check-first")
        result = seed("edit", "--json", "-n", "4", *check, "fix the bug", "calc.py", model=model)
        assert len(model.asked) == 2
        assert model.options[0].needed
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "failed", "passed"]
        assert "yield" not in result.json["patch"]
        assert "+    return a + b" in result.json["patch"]

    def test_a_tree_that_passes_is_left_alone(self, repo: Path, seed: Seed, tree: Seen) -> None:
        model = answering("a * b")
        result = seed("edit", "-y", "--check", "true", "--check-first", "fix the bug", model=model)
        assert (result.code, model.asked) == (0, [])
        assert "the check succeeds as it is" in result.err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--check-first", "fix", "calc.py"), "--check-first says how to check; give --check CMD too"),
            (("--check", "false", "--check-first", "fix"), "names no place and no error that Seed can read"),
            (("--check", "false", "--check-first", "--top", "1", "fix"), "--check-first says what to edit"),
            (("--check", "false", "--check-first", "--traceback", "x", "fix"), "--check-first says what"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, repo: Path, seed: Seed, tree: Seen, arguments: Sequence[str], said: str
    ) -> None:
        result = seed("edit", "-y", *arguments, model=answering("a + b"))
        assert result.code == 2
        assert said in result.err


class TestChoosing:
    def test_the_first_that_passes_is_proposed(self, repo: Path, seed: Seed, tree: Seen) -> None:
        arguments = ("--json", "-n", "4", "--check", IS_RIGHT, "fix the bug", "calc.py")
        result = seed("edit", *arguments, model=WRONG_THEN_RIGHT)
        assert (result.code, result.json["outcome"]) == (1, "proposed")
        assert "+    return a + b" in result.json["patch"]
        first, second, third = result.json["candidates"]
        assert (first["check"], second["check"]) == ("failed", "passed")
        assert third == {"score": 0.8, "check": "skipped"}
        assert first["reason"] == "exit code 1: AssertionError: 6"
        assert "Traceback" in first["output"]
        assert "Traceback" in Path(first["log"]).read_text()
        assert (first["try"], first["score"]) == (1, 1.0)
        assert 0 < first["seconds"] < result.json["seconds"]["check"]
        assert Path(first["log"]).with_suffix(".patch").read_bytes().startswith(b"diff --git a/calc.py")
        assert "candidate 1 of 3 (score 1.00) failed the check" in result.err
        assert "candidate 2 of 3 (score 0.90) passed the check" in result.err

    def test_what_passes_is_written_and_can_be_undone(self, repo: Path, seed: Seed) -> None:
        before = read_tree(repo)
        result = seed(
            "edit", "-y", "-n", "4", "--check", IS_RIGHT, "fix the bug", "calc.py", model=WRONG_THEN_RIGHT
        )
        assert (result.code, result.out) == (0, b"")
        assert (repo / "calc.py").read_text().startswith(ADD_FIXED)
        after = read_tree(repo)
        touched = {"calc.py", "."}
        assert {n: s for n, s in after.items() if n not in touched} == {
            n: s for n, s in before.items() if n not in touched
        }
        assert seed("undo").code == 0
        assert (repo / "calc.py").read_text().startswith(ADD)

    def test_none_passes(self, repo: Path, seed: Seed, tree: Seen) -> None:
        result = seed("edit", "-y", "--json", "-n", "2", "--check", "echo no way; exit 9", "fix", "calc.py",
                      model=WRONG_THEN_RIGHT)  # fmt: skip
        assert (result.code, result.json["outcome"]) == (5, "check_failed")
        assert (result.json["patch"], result.json["files"], result.json["run"]) == ("", [], None)
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "failed"]
        assert result.json["message"].startswith(
            "none of 2 candidates passed the check 'echo no way; exit 9'"
        )
        assert "seed:   no way\n" in result.err or "seed: no way\n" in result.err

    def test_all_are_tried_where_that_is_wanted(self, repo: Path, seed: Seed, tree: Seen) -> None:
        arguments = ("--json", "-n", "4", "--check-all", "--check", "! grep -q / calc.py", "fix", "calc.py")
        result = seed("edit", *arguments, model=WRONG_THEN_RIGHT)
        assert [c["check"] for c in result.json["candidates"]] == ["passed", "passed", "failed"]
        assert "+    return a * b" in result.json["patch"]

    def test_the_answer_does_not_depend_on_how_many_run_at_once(
        self, repo: Path, seed: Seed, tree: Seen
    ) -> None:
        command = "head -2 calc.py | grep -q '*' && sleep 0.7; head -2 calc.py | grep -q '[*+]'"
        arguments = ("--json", "-n", "4", "--check-jobs", "3", "--check", command, "fix", "calc.py")
        result = seed("edit", *arguments, model=answering("a / b", "a * b", "a + b", "a ** b", "a"))
        assert "+    return a * b" in result.json["patch"]
        assert [c["check"] for c in result.json["candidates"][:2]] == ["failed", "passed"]

    def test_the_same_change_is_tried_once(self, repo: Path, seed: Seed, tree: Seen) -> None:
        model = answering("a * b", "a * b", "a + b")
        result = seed("edit", "--json", "-n", "4", "--check", IS_RIGHT, "fix", "calc.py", model=model)
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "passed"]

    def test_without_an_edit_nothing_is_checked(self, repo: Path, seed: Seed, tree: Seen) -> None:
        result = seed("edit", "--json", "--check", "exit 1", "fix", "calc.py", model=ScriptedModel({}))
        assert (result.code, result.json["outcome"], result.json["candidates"]) == (0, "unchanged", [])

    def test_a_review_shows_what_passed(
        self, repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notes = []

        def ask(patch: Patch, title: str, note: str, read: object) -> Patch:
            notes.append(note)
            return patch

        monkeypatch.setattr("seedcli.delivering.is_terminal", lambda stream: True)
        monkeypatch.setattr("seedcli.delivering.ask", ask)
        result = seed("edit", "-n", "3", "--check", IS_RIGHT, "fix", "calc.py", model=WRONG_THEN_RIGHT)
        assert result.code == 0
        assert notes == [f"scripted 000000000000; score 0.90; passes {IS_RIGHT}"]
        assert (repo / "calc.py").read_text().startswith(ADD_FIXED)


class TestTries:
    def test_what_failed_is_in_the_next_instruction(self, repo: Path, seed: Seed, tree: Seen) -> None:
        def answer(request: EditRequest) -> str | None:
            if request.region != ADD:
                return None
            return ADD_FIXED if "AssertionError: 6" in request.instruction else ADD.replace("-", "*")

        model = ScriptedModel(answer)
        arguments = (
            "--json",
            "--tries",
            "3",
            "-n",
            "2",
            "--seed",
            "7",
            "--check",
            IS_RIGHT,
            "fix",
            "calc.py",
        )
        result = seed("edit", *arguments, model=model)
        assert "+    return a + b" in result.json["patch"]
        assert [(c["check"], c["try"]) for c in result.json["candidates"]] == [("failed", 1), ("passed", 2)]
        assert [(o.seed, o.candidates) for o in model.options] == [(7, 2), (8, 4)]
        further = model.asked[-1].instruction
        assert further.startswith("fix\n\nThe check `")
        assert result.json["forwards"] == 2

    def test_they_end_when_there_is_nothing_new(self, repo: Path, seed: Seed, tree: Seen) -> None:
        model = answering("a * b")
        result = seed("edit", "--json", "--tries", "9", "--check", IS_RIGHT, "fix", "calc.py", model=model)
        assert (result.code, len(result.json["candidates"]), len(model.options)) == (5, 1, 2)
        assert "try 2: the model has no further candidate" in result.err


class TestWays:
    """Whatever the system allows, it is the candidate that is tested, and the tree stays."""

    def test_it_is_the_candidate_that_is_tested(
        self, repo: Path, seed: Seed, way: Sequence[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Compiled code of the same second and size is what Python would believe.
        monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        subprocess.run([*PYTHON.split(), "-c", "import calc"], cwd=repo, check=True)
        assert list((repo / "__pycache__").iterdir())
        before = read_tree(repo)
        result = seed("edit", "--json", "-n", "4", *way, "--check", IS_RIGHT, "fix", "calc.py",
                      model=answering("a * b", "b - a", "a + b"))  # fmt: skip
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "failed", "passed"]
        assert self.but_times(read_tree(repo), way) == self.but_times(before, way)
        assert (
            subprocess.run(
                [*PYTHON.split(), "-c", "import calc; assert calc.add(5, 3) == 2"], cwd=repo
            ).returncode
            == 0
        )

    @staticmethod
    def but_times(seen: Seen, way: Sequence[str]) -> Mapping[str, object]:
        """In place, files that were on trial have been written."""
        return {n: (m, d) if way and n in ("calc.py", ".") else (m, t, d) for n, (m, t, d) in seen.items()}

    def test_the_work_tree_as_it_stands(self, repo: Path, seed: Seed, way: Sequence[str]) -> None:
        (repo / ".gitignore").write_text("build/\n*.so\n")
        (repo / "build").mkdir()
        (repo / "build" / "made").write_text("made\n")
        (repo / "lib.so").write_text("lib\n")
        (repo / "un tracked\n").write_text("new\n")
        (repo / "calc.py").write_text((repo / "calc.py").read_text() + "# changed\n")
        command = (
            "cat build/made lib.so un*; tail -1 calc.py; git status --porcelain --branch; "
            "git log --format=%s; pwd; test $(pwd) = $PWD; echo $?"
        )
        result = seed("edit", "--json", *way, "--check", command, "fix", "calc.py")
        lines = result.json["candidates"][0]["output"].splitlines()
        assert lines[:5] == ["made", "lib", "new", "# changed", "## master"]
        assert lines[5:9] == [" M calc.py", "?? .gitignore", '?? "un tracked\\n"', "first"]
        assert lines[-1] == "0"

    @pytest.mark.parametrize("way", ["overlay", "bind", "copy"], indirect=True)
    def test_what_a_check_writes_is_gone(self, repo: Path, seed: Seed, way: Sequence[str]) -> None:
        (repo / ".gitignore").write_text("build/\n")
        (repo / "build").mkdir()
        (repo / "build" / "made").write_text("made\n")
        before = read_tree(repo)
        command = (
            "echo x > build/made; echo x > build/new; rm -rf .gitignore; echo x >> calc.py; mkdir d; echo x > d/y; "
            "git add . ; git -c user.name=a -c user.email=b commit -qm x; git checkout -q HEAD~0; touch $TMPDIR/z"
        )
        seed("edit", "--json", *way, "--check", command, "fix", "calc.py")
        after = read_tree(repo)
        if before != after:  # git renews the time of objects that it finds
            assert {n for n in before if before[n] != after[n]} <= {n for n in before if "objects" in n}
        assert set(before) == set(after)

    @few_ways
    def test_from_a_folder_below(
        self, repo: Path, seed: Seed, way: Sequence[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (repo / "sub").mkdir()
        monkeypatch.chdir(repo / "sub")
        result = seed(
            "edit", "--json", *way, "--check", "grep 'a + b' ../calc.py; basename $PWD", "fix", "../calc.py"
        )
        assert result.json["candidates"][0]["output"].splitlines()[-1] == "sub"
        assert result.json["candidates"][0]["check"] == "passed"

    @few_ways
    def test_nothing_is_left_running_or_lying_about(
        self, repo: Path, seed: Seed, way: Sequence[str], home: Path, mark: str
    ) -> None:
        seed(
            "edit",
            *way,
            "--check",
            f"(setsid sh -c ': {mark}; sleep 1000; true' &) ; sleep 0.1",
            "fix",
            "calc.py",
        )
        assert not processes_with(mark)
        assert not list((home / "cache" / "seed" / "checks").glob("[!.]*"))

    @few_ways
    def test_outside_git(
        self, tmp_path: Path, seed: Seed, way: Sequence[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "plain"
        folder.mkdir()
        (folder / "calc.py").write_text(ADD)
        monkeypatch.chdir(folder)
        result = seed(
            "edit", "--json", "-n", "3", *way, "--check", IS_RIGHT, "fix", "calc.py", model=WRONG_THEN_RIGHT
        )
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "passed", "skipped"]
        assert (folder / "calc.py").read_text() == ADD


class TestEditableInstall:
    """A src-layout project that is installed by its absolute path."""

    @pytest.fixture
    def python(self, repo: Path, tmp_path: Path) -> str:
        """An environment in which the repository's package is installed to be edited."""
        (repo / "src" / "calculator").mkdir(parents=True)
        (repo / "src" / "calculator" / "__init__.py").write_text(ADD)
        (repo / "tests").mkdir()
        (repo / "tests" / "test_add.py").write_text(
            "import unittest\nimport calculator\n\n\nclass Add(unittest.TestCase):\n"
            "    def test(self):\n        self.assertEqual(calculator.add(2, 3), 5)\n"
        )
        git(repo, "add", ".")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
        (site,) = (tmp_path / "env").glob("lib/python*/site-packages")
        (site / "_editable_impl_calculator.pth").write_text(f"{repo / 'src'}\n")
        return str(tmp_path / "env" / "bin" / "python")

    def test_the_candidate_is_what_is_tested(
        self, repo: Path, seed: Seed, python: str, offered: Namespaces
    ) -> None:
        if not offered.mounts:
            pytest.skip(f"no namespaces here: {offered.refusal}")
        before = read_tree(repo)
        command = f"{python} -c 'import calculator; print(calculator.__file__)' && cd tests && {python} -m unittest -q"
        arguments = ("--json", "-n", "3", "--check", command, "fix", "src/calculator/__init__.py")
        result = seed("edit", *arguments, model=WRONG_THEN_RIGHT)
        first, second, _ = result.json["candidates"]
        assert (first["check"], second["check"]) == ("failed", "passed")
        assert "6 != 5" in first["output"]
        assert first["output"].splitlines()[0] == str(repo / "src" / "calculator" / "__init__.py")
        assert read_tree(repo) == before

    def test_without_namespaces_a_copy_is_refused_and_in_place_it_works(
        self, repo: Path, seed: Seed, python: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "seedcli.checking.find_namespaces", lambda folder: Namespaces(refusal="forbidden")
        )
        before = read_tree(repo)
        command = f"cd tests && {python} -m unittest -q"
        arguments = ("edit", "--json", "-n", "3", "--check", command, "fix", "src/calculator/__init__.py")
        result = seed(*arguments, model=WRONG_THEN_RIGHT)
        assert (result.code, result.json["outcome"]) == (2, "error")
        assert "would not test the candidate" in result.json["message"]
        assert (
            "private mounts (forbidden); --check-in-place tests in the repository" in result.json["message"]
        )
        assert read_tree(repo) == before
        result = seed(*arguments, "--check-in-place", model=WRONG_THEN_RIGHT)
        assert [c["check"] for c in result.json["candidates"]] == ["failed", "passed", "skipped"]
        assert (repo / "src" / "calculator" / "__init__.py").read_text() == ADD


class TestLimits:
    def test_time(self, repo: Path, seed: Seed, tree: Seen) -> None:
        result = seed("edit", "--json", "--check-timeout", "0.5", "--check", "sleep 1000", "fix", "calc.py")
        assert result.code == 5
        assert result.json["candidates"][0]["reason"] == "not done after 0.5 s"

    def test_disk(self, repo: Path, seed: Seed, tree: Seen) -> None:
        command = "i=0; while head -c 100000 /dev/zero > $TMPDIR/$i; do i=$((i+1)); done"
        result = seed("edit", "--json", "--check-disk", "0.001", "--check", command, "fix", "calc.py")
        assert result.code == 5
        assert result.json["candidates"][0]["reason"].startswith("wrote more than 0.001 GiB")

    def test_more_than_may_be_copied(self, repo: Path, seed: Seed) -> None:
        (repo / "data").write_bytes(b"x" * 2_000_000)
        result = seed("edit", "--json", "--check-disk", "0.001", "--check", "true", "fix", "calc.py")
        assert result.code == 2
        assert "holds more than 0.001 GiB to copy for the check; raise --check-disk" in result.json["message"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--check-all",), "--check-all says how to check; give --check CMD too"),
        (("--tries", "2"), "--tries says how to check"),
        (("--check-timeout", "5"), "--check-timeout says how to check"),
        (("--check", " "), "--check is empty"),
        (("--check", "true", "--tries", "0"), "--tries must be a whole number from 1, not 0"),
        (
            ("--check", "true", "--check-jobs", "0"),
            "--check-jobs must be a whole number from 1 to 256, not 0",
        ),
        (("--check", "true", "--check-jobs", "2", "--check-in-place"), "runs one check at a time"),
    ],
)
def test_flags_that_make_no_sense(repo: Path, seed: Seed, flags: Sequence[str], message: str) -> None:
    result = seed("edit", *flags, "fix", "calc.py")
    assert (result.code, result.out, message in result.err) == (2, b"", True)


def test_a_file_that_changes_while_it_is_checked_is_left_alone(repo: Path, seed: Seed) -> None:
    command = f"echo '# mine' >> {repo}/calc.py.new; cp {repo}/calc.py.new {repo}/calc.py; true"
    result = seed("edit", "--json", "--check-in-place", "--check", command, "fix", "calc.py")
    assert (result.code, result.json["outcome"]) == (4, "conflict")
    assert (
        "left as the check or somebody else made it meanwhile: calc.py; the old bytes are in"
        in result.json["message"]
    )
    assert (repo / "calc.py").read_text() == "# mine\n"


class TestInterrupted:
    """A run that is ended during a check leaves nothing running, and the tree as it was."""

    def start(self, repo: Path, tmp_path: Path, mark: str, *flags: str) -> "subprocess.Popen[bytes]":
        command = f"touch {tmp_path}/started; (setsid sh -c ': {mark}; sleep 1000; true' &) ; sleep 1000"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.seedcli.commands.scripted", "edit", "-y", *flags, "--check", command,
             "fix", "calc.py"],
            cwd=repo,
            env=os.environ | {"PYTHONPATH": str(HERE), "SCRIPT": json.dumps({"a - b": "a + b"})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            wait_until(lambda: (tmp_path / "started").exists() and bool(processes_with(f": {mark}")))
        except AssertionError:
            process.kill()
            process.communicate()
            raise
        return process

    @pytest.mark.parametrize("flags", [(), ("--check-in-place",)])
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_by_a_signal(
        self, repo: Path, tmp_path: Path, home: Path, mark: str, flags: Sequence[str], number: int, code: int
    ) -> None:
        before = (repo / "calc.py").read_bytes()
        process = self.start(repo, tmp_path, mark, *flags)
        assert ((repo / "calc.py").read_bytes() != before) == bool(flags)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert (repo / "calc.py").read_bytes() == before
        assert not processes_with(mark)
        assert not list((home / "cache" / "seed" / "checks").glob("[!.]*"))

    @pytest.mark.parametrize("flags", [(), ("--check-in-place",)])
    def test_by_being_killed(
        self, repo: Path, tmp_path: Path, home: Path, seed: Seed, mark: str, flags: Sequence[str]
    ) -> None:
        before = (repo / "calc.py").read_bytes()
        process = self.start(repo, tmp_path, mark, *flags)
        process.kill()
        process.communicate(timeout=60)
        wait_until(lambda: not processes_with(mark))
        scratch = home / "cache" / "seed" / "checks"
        assert len(list(scratch.glob("[!.]*"))) == 1
        # Any next run, even one that only prints, sees the tree as it was; one with a check tidies up.
        result = seed("edit", "--diff", "--check", "true", "fix", "calc.py")
        assert b"-    return a - b" in result.out
        assert ("its files are as they were before" in result.err) == bool(flags)
        assert (repo / "calc.py").read_bytes() == before
        assert not list(scratch.glob("[!.]*"))


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
