"""Every example of the cookbook, with the model that comes along: the diff written down, its tests green."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
COOKBOOK = HERE / "examples" / "cookbook"
EXAMPLES = sorted(path for path in COOKBOOK.iterdir() if path.is_dir())
PAGE = (HERE / "docs" / "cookbook.md").read_text()


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """A user who has `seed` and `python3`, and never used either."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, arguments in (("seed", "-m seedcli"), ("python3", "")):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        (folder / name).chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SEED_", "GIT_", "XDG_"))}
    return kept | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(tmp_path),
        "SEED_STATE_DIR": str(tmp_path / "state"),
    }


@pytest.fixture
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A git repository of the example's files."""
    folder = tmp_path / "repo"
    shutil.copytree(request.param / "repo", folder, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "as it was")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def without_object_names(diff: str) -> str:
    return "".join(line for line in diff.splitlines(keepends=True) if not line.startswith("index "))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("repo", "example"),
    [(path, path) for path in EXAMPLES],
    indirect=["repo"],
    ids=[p.name for p in EXAMPLES],
)
def test_an_example_gives_the_diff_written_down(
    repo: Path, example: Path, environment: Mapping[str, str]
) -> None:
    done = subprocess.run(
        [example / "run.sh"],
        cwd=repo,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert without_object_names(git(repo, "diff")) == (example / "expected.diff").read_text(), done.stderr
    assert git(repo, "status", "--porcelain", "--untracked-files=all").count("??") == 0
    tests = [sys.executable, "-m", "unittest", "-q"]
    subprocess.run(tests, cwd=repo, env=environment, capture_output=True, check=True)


def test_there_are_ten() -> None:
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_script_stops_at_the_first_error_and_stands_in_the_cookbook(example: Path) -> None:
    script = (example / "run.sh").read_text()
    assert script.startswith("#!/bin/sh\n# ")
    head, body = script.split("\nset -eu\n\n", 1)
    assert f"```sh\n{body}```" in PAGE
    assert example.name in PAGE
    assert os.access(example / "run.sh", os.X_OK)
    assert head.splitlines()[1].endswith((".", ","))
