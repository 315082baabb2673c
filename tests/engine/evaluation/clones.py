"""A real project in a temporary folder: a function with a bug, the commit that mends it, and tests."""

import subprocess
from pathlib import Path
from typing import Any

WRONG, RIGHT = "def f(n):\n    return n + 0\n", "def f(n):\n    return n + 1\n"
SAME, LUCKY = "def f(n):\n    return 1 + n\n", "def f(n):\n    return 2\n"
"""Right in another way; and right for the wanted test alone."""
ABOVE, BELOW = '"""Adding."""\n\n\n', "\n\ndef g(n):\n    return n\n"
OLD_TESTS = """\
from adding import f


def test_large():
    assert f(10) >= 10


def test_other_machine():
    assert False, "not here"
"""
TESTS = OLD_TESTS + "\n\ndef test_one():\n    assert f(1) == 2\n"


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(root: Path, files: dict[str, str]) -> str:
    """Write files and commit them; the commit's name."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Add one")
    return git(root, "rev-parse", "HEAD")


def make_clone(root: Path, tests: str = TESTS) -> dict[str, Any]:
    """A repository, and the row of its commit."""
    root.mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    parent = commit(root, {"src/adding.py": ABOVE + WRONG + BELOW, "tests/test_adding.py": OLD_TESTS})
    name = commit(root, {"src/adding.py": ABOVE + RIGHT + BELOW, "tests/test_adding.py": tests})
    return {
        "id": "a/b/1",
        "subject": "Add one",
        "before": WRONG,
        "after": RIGHT,
        "before_span": [4, 5],
        "file": "src/adding.py",
        "file_before": ABOVE + WRONG + BELOW,
        "repo": "a/b",
        "commit": name,
        "parent": parent,
        "exec": {
            "test_files": ["tests/test_adding.py"],
            "fail_to_pass": ["tests/test_adding.py::test_one"],
        },
    }
