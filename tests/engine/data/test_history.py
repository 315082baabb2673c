import subprocess
from pathlib import Path

import pytest

from engine.data.history import HistoryPair, clean_subject, is_vague, pairs
from engine.errors import DataError

BASE = '''\
"""A module."""
import os


class Box:
    @property
    def size(self):
        """How big."""
        # count
        return len(self.items)


def add(a, b):
    return a + b


def old(): print "two"
'''


class Repository:
    """A real repository in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self._git("init", "-q", "-b", "main")
        self.commit("Start", {"a.py": BASE})

    def _git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, subject: str, files: dict[str, str], author: str = "Dev <dev@example.org>") -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, newline="")
        self._git("add", "-A")
        self._git("commit", "-q", "--author", author, "-m", subject)

    def change(self, subject: str, old: str, new: str, **others: str) -> None:
        text = (self.root / "a.py").read_text()
        assert old in text
        self.commit(subject, {"a.py": text.replace(old, new), **others})

    def pairs(self, limit: int | None = None) -> list[HistoryPair]:
        return list(pairs(self.root, limit))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "thing")


def test_a_change_of_one_method(repository: Repository) -> None:
    repository.change("Fix the size of boxes (#12)", "len(self.items)", "len(self.items) + 1")
    (pair,) = repository.pairs()
    head = '    @property\n    def size(self):\n        """How big."""\n        # count\n'
    assert pair.before == head + "        return len(self.items)\n"
    assert pair.after == head + "        return len(self.items) + 1\n"
    assert (pair.instruction, pair.path, pair.repo, pair.is_fix) == (
        "Fix the size of boxes",
        "a.py",
        "thing",
        True,
    )
    assert len(pair.commit) == 40
    assert pair.date.tzinfo is not None


def test_lines_put_in_and_taken_away_at_the_ends(repository: Repository) -> None:
    repository.change("Cache the sum", "def add(a, b):", "@cache\ndef add(a, b):")
    repository.change(
        "Guard the sum", "    return a + b\n", "    if a:\n        return b\n    return a + b\n"
    )
    repository.change("Drop the guard", "    if a:\n        return b\n", "")
    repository.change("Return nothing", "    return a + b\n", "    a + b\n    a\n")
    repository.change("Do less", "    a\n", "")
    befores = [(pair.before, pair.after) for pair in reversed(repository.pairs())]
    assert befores[0] == ("def add(a, b):\n    return a + b\n", "@cache\ndef add(a, b):\n    return a + b\n")
    assert befores[-1] == (
        "@cache\ndef add(a, b):\n    a + b\n    a\n",
        "@cache\ndef add(a, b):\n    a + b\n",
    )
    assert len(befores) == 5


def test_several_functions_of_a_commit_are_pairs_of_their_own(repository: Repository) -> None:
    text = (repository.root / "a.py").read_text()
    both = text.replace("len(self.items)", "len(self.things)").replace(
        "return a + b", "c = a\n    return c - b"
    )
    repository.commit("Rename items", {"a.py": both})
    assert repository.pairs() == []
    found = list(pairs(repository.root, max_functions=2))
    assert [pair.instruction for pair in found] == ["Rename items"] * 2
    assert found[0].before == text[text.index("    @property") : text.index("\n\ndef add")]
    assert found[0].after == found[0].before.replace("items", "things")
    assert found[1].before == "def add(a, b):\n    return a + b\n"
    assert found[1].after == "def add(a, b):\n    c = a\n    return c - b\n"


def test_a_change_outside_of_functions_is_none_of_several(repository: Repository) -> None:
    text = (repository.root / "a.py").read_text()
    repository.commit(
        "Rename items", {"a.py": text.replace("import os", "import sys").replace("a + b", "a - b")}
    )
    assert list(pairs(repository.root, max_functions=3)) == []


def test_tests_may_change_beside_it(repository: Repository) -> None:
    repository.change(
        "Subtract instead", "a + b", "a - b", **{"tests/test_a.py": "def test(): pass\n", "CHANGES": "x"}
    )
    assert [pair.instruction for pair in repository.pairs()] == ["Subtract instead"]


@pytest.mark.parametrize(
    ("subject", "old", "new"),
    [
        ("Change two functions", "self.items)", "self.x)\n\n\ndef add(a, c):\n    return 2\n\n\ndef z("),
        ("Import more", "import os", "import os, sys"),
        ("Explain the count", "# count", "# count them"),
        ("Describe the size", '"""How big."""', '"""How very big."""'),
        ("Lay the sum out anew", "a + b", "(a +\n            b)"),
        ("Add another function", "def add", "def sub(a, b):\n    return a - b\n\n\ndef add"),
        ("Print more", '"two"', '"three"'),
        ("Write it out", "return a + b", "\n".join(["x = 1", *["    x += 1"] * 12, "    return a + b"])),
        ("wip", "a + b", "a - b"),
        ("Some more cleanups.", "a + b", "a - b"),
        ('Revert "Subtract"', "a + b", "a - b"),
        ("Merge branch 'x'", "a + b", "a - b"),
    ],
)
def test_what_is_left_out(repository: Repository, subject: str, old: str, new: str) -> None:
    repository.change(subject, old, new)
    assert repository.pairs() == []


def test_files_and_authors_that_are_left_out(repository: Repository) -> None:
    one, two = "def f(a):\n    return a\n", "def f(a):\n    return -a\n"
    paths = ["pkg/_vendor/x.py", "x_pb2.py", "tests/test_x.py", "generated.py", "crlf.py", "latin.py"]
    heads = {"generated.py": "# Generated, do not edit\n"}
    for path in paths:
        for text in (one, two):
            ready = text.replace("\n", "\r\n") if path == "crlf.py" else heads.get(path, "") + text
            repository.commit("Negate the value", {path: ready})
    repository.commit("Negate the value", {"bot.py": one})
    repository.commit("Negate the value", {"bot.py": two}, author="dependabot[bot] <b@example.org>")
    assert [pair.path for pair in repository.pairs()] == ["latin.py"]


def test_newest_first_each_once_up_to_the_limit(repository: Repository) -> None:
    for index in range(6):
        repository.change(
            f"Choose {'minus' if index % 2 == 0 else 'plus'} once",
            *[("a + b", "a - b"), ("a - b", "a + b")][index % 2],
        )
    assert [pair.instruction for pair in repository.pairs()] == ["Choose plus once", "Choose minus once"]
    assert len(repository.pairs(limit=1)) == 1
    assert repository.pairs(limit=0) == []


def test_a_folder_without_history(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=str(tmp_path)):
        list(pairs(tmp_path))


def test_stopping_early_leaves_no_process(repository: Repository) -> None:
    repository.change("Subtract instead", "a + b", "a - b")
    stream = pairs(repository.root)
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # an unclosed pipe would warn, and warnings are errors here


@pytest.mark.parametrize(
    ("subject", "clean"),
    [
        ("Fixed #123 -- Made it work", "Made it work"),
        ("[3.8] bpo-1234: Handle empty lines (GH-55)", "Handle empty lines"),
        ("Handle empty lines. Closes #606. Thanks to somebody", "Handle empty lines"),
        ("Fixes #12.", "Fix"),
        ("Refs #12", ""),
        ("fix: handle `None` in get_2", "fix: handle `None` in get_2"),
        ("Use 3 retries", "Use 3 retries"),
    ],
)
def test_subjects_without_numbers_of_issues(subject: str, clean: str) -> None:
    assert clean_subject(subject) == clean


@pytest.mark.parametrize("subject", ["", "wip", "Cleanup", "more docs", "Small tweaks.", "version 1.2"])
def test_subjects_that_say_nothing(subject: str) -> None:
    assert is_vague(subject)


@pytest.mark.parametrize("subject", ["Fix", "fix typo", "Handle None", "rename x"])
def test_subjects_that_say_something(subject: str) -> None:
    assert not is_vague(subject)
