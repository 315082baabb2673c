"""What `seed edit --check` solves through the command line alone, where tests decide among candidates.

`python benchmarks/checks.py --quixbugs FILE --commits FILE --clones FOLDER --python PYTHON --out checks.json`, either
file or both. A QuixBugs row becomes a repository with one module and a test of its cases. A row of real commits is the
project at the commit's parent with the commit's own tests, cloned from FOLDER/OWNER+NAME/repo; PYTHON has pytest and
what the projects need. Rows whose published answer does not pass here, or whose question does, are counted apart.

Each row: `seed edit --json -n N --check ...` on the function, nothing else told; the tree must be the same afterwards,
byte for byte and in its times. What passed is then written by `seed review -y` and the tests run in the repository.
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from engine.evaluation.judged import read_cases, read_rows  # noqa: E402
from engine.evaluation.scores import share  # noqa: E402

IDENTITY = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com")
LIMIT_S = {"quixbugs": 6, "commits": 120}
"""Of one check, on a busy machine."""


class Problem:
    """A repository with a function that is wrong, and the command that says so."""

    def __init__(
        self,
        name: str,
        instruction: str,
        target: str,
        checks: Sequence[str],
        after: tuple[str, str],
        limit_s: int,
    ) -> None:
        self.name, self.instruction, self.target, self.limit_s = name, instruction, target, limit_s
        self.checks = checks
        """From the strictest on: the first that the published answer passes is taken."""
        self.check = checks[0]
        self.file, self.answer = after
        """The file as it is with the published answer."""


def run(*command: str, folder: Path, stdin: bytes = b"", environment: dict[str, str] | None = None) -> Any:
    return subprocess.run(
        command,
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=os.environ | (environment or {}),
        check=False,
    )


def git(folder: Path, *arguments: str) -> None:
    done = run("git", *IDENTITY, *arguments, folder=folder)
    assert done.returncode == 0, done.stderr.decode()


def quixbugs(path: Path, python: str, folder: Path) -> Iterator[tuple[Problem, Callable[[], None]]]:
    for case in read_cases(path):

        def make(case: Any = case) -> None:
            git(folder, "init", "-q")
            (folder / f"{case.name}.py").write_text(case.before)
            (folder / "check.py").write_text(f"from {case.name} import *\n{case.tests}")
            git(folder, "add", ".")
            git(folder, "commit", "-qm", "first")

        target = f"{case.name}.py::{case.name}"
        check = f"{python} check.py"
        after = (f"{case.name}.py", case.after)
        yield Problem(case.name, case.instruction, target, [check], after, LIMIT_S["quixbugs"]), make


def commits(
    path: Path, clones: Path, python: str, folder: Path
) -> Iterator[tuple[Problem, Callable[[], None]]]:
    for row in read_rows(path):
        if not row.get("exec"):
            continue

        def make(row: Any = row) -> None:
            source = clones / row["repo"].replace("/", "+") / "repo"
            git(folder.parent, "clone", "-q", "--shared", "--no-checkout", str(source), str(folder))
            git(folder, "checkout", "-q", "--detach", row["parent"])
            git(folder, "checkout", "-q", row["commit"], "--", *row["exec"]["test_files"])
            git(folder, "commit", "-qm", "the commit's tests")

        # A path that is absolute, as that of an editable install.
        pytest = f"PYTHONPATH={folder}/src:{folder} {python} -m pytest -q -x -p no:cacheprovider"
        wanted = " ".join(map(shlex.quote, row["exec"]["fail_to_pass"]))
        files = " ".join(map(shlex.quote, row["exec"]["test_files"]))
        # Of a file's other tests, some may fail for what is installed here.
        checks = [f"{pytest} {wanted} && {pytest} {files}", f"{pytest} {wanted}"]
        target = f"{row['file']}::{row['function']}"
        if "#" in row["function"]:  # one of several of the same name
            start, end = row["before_span"]
            target = f"{row['file']}:{start}-{end}"
        after = (row["file"], row["file_after"])
        yield Problem(row["id"], row["subject"], target, checks, after, LIMIT_S["commits"]), make


def fingerprint(folder: Path) -> str:
    """Of names, modes, times and contents of all there is."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found.update(f"{path} {status.st_mode} {status.st_mtime_ns} ".encode())
        if path.is_file() and not path.is_symlink():
            found.update(path.read_bytes())
    return found.hexdigest()


def passes(problem: Problem, folder: Path) -> bool:
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    try:
        command = ["timeout", str(problem.limit_s), "sh", "-c", problem.check]
        return run(*command, folder=folder, environment=environment).returncode == 0
    finally:
        git(folder, "clean", "-qfdx")


def is_sound(problem: Problem, folder: Path) -> bool:
    """Whether the tests tell question and published answer apart here; the problem's check is set to them."""
    path = folder / problem.file
    before = path.read_text()
    for check in problem.checks:
        problem.check = check
        path.write_text(problem.answer)
        answered = passes(problem, folder)
        path.write_text(before)
        if answered:
            return not passes(problem, folder)
    return False


def solve(problem: Problem, folder: Path, options: Sequence[str]) -> dict[str, Any]:
    seed = [sys.executable, "-m", "seedcli"]
    environment = {"PYTHONPATH": str(ROOT)}
    flags = ["edit", "--json", *options, "--check-timeout", str(problem.limit_s), "--check", problem.check]
    before, started = fingerprint(folder), time.monotonic()
    done = run(*seed, *flags, problem.instruction, problem.target, folder=folder, environment=environment)
    seconds, same = time.monotonic() - started, fingerprint(folder) == before
    report = json.loads(done.stdout)
    row = {
        "name": problem.name,
        "strictest_check": problem.check == problem.checks[0],
        "outcome": report["outcome"],
        "solved": False,
        "tree_identical": same,
        "candidates": len(report["candidates"]),
        "checks": sum(c["check"] in ("passed", "failed") for c in report["candidates"]),
        "seconds": round(seconds, 2),
        "seconds_check": report["seconds"]["check"],
        "seconds_model": report["seconds"]["model"],
    }
    if report["outcome"] == "proposed":
        patch = report["patch"].encode("utf-8", "surrogateescape")
        written = run(*seed, "review", "-y", "-", folder=folder, stdin=patch, environment=environment)
        row["solved"] = written.returncode == 0 and passes(problem, folder)
    else:
        row["message"] = report["message"]
    return row


def measure(
    made: Iterator[tuple[Problem, Callable[[], None]]], folder: Path, options: Sequence[str]
) -> dict[str, Any]:
    rows, left_out = [], []
    for problem, make in made:
        subprocess.run(["rm", "-rf", folder], check=True)
        folder.mkdir()
        make()
        if not is_sound(problem, folder):
            left_out.append(problem.name)
            continue
        rows.append(solve(problem, folder, options))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {
        "solved": share(row["solved"] for row in rows).as_json(),
        "passed_in_the_copy_but_not_in_the_repository": sum(
            row["outcome"] == "proposed" and not row["solved"] for row in rows
        ),
        "tree_identical": all(row["tree_identical"] for row in rows),
        "checks": sum(row["checks"] for row in rows),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "left_out": left_out,
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quixbugs", type=Path)
    parser.add_argument("--commits", type=Path)
    parser.add_argument("--clones", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    options = ["-n", str(given.candidates), "--check-jobs", str(given.jobs)]
    found: dict[str, Any] = {"command": "python " + shlex.join(sys.argv), "options": options}
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base).resolve() / "repository"
        os.environ |= {f"XDG_{kind}_HOME": f"{base}/{kind}" for kind in ("CACHE", "STATE", "CONFIG", "DATA")}
        if given.quixbugs:
            found["quixbugs"] = measure(quixbugs(given.quixbugs, given.python, folder), folder, options)
        if given.commits:
            made = commits(given.commits, given.clones, given.python, folder)
            found["commits"] = measure(made, folder, options)
    text = json.dumps(found, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
