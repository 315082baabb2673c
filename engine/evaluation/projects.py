"""Real commits judged by their project's own tests, given a folder with clones of the projects.

Rows are those of `engine.evaluation.judged`; with `exec` they have besides: `parent`, `file` and its text there,
`file_before`, `before_span` (the region's first and last line, from 1), and in `exec` `test_files` and `fail_to_pass`,
the tests that the commit turned from failing to passing. Each answer gets a checkout of its own: the project at the
parent with the commit's tests.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.evaluation.cage import Program
from engine.evaluation.judged import JudgedCase, read_cases, read_rows
from engine.evaluation.project_tests import FOLDER, REPORT, code_for


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCase(JudgedCase):
    """A region of a project's file, judged by tests of the project."""

    parent: str
    commit: str
    file: str
    above: str
    """The file's text before the region; a model is not shown it, as it is not where there are no clones."""
    below: str
    test_files: tuple[str, ...]
    wanted: tuple[str, ...]
    """Tests that a right answer passes; beside them it passes whatever the published one does."""
    clone: Path = field(compare=False)
    python: Path = field(compare=False)

    def program(self, answer: str) -> Program:
        """What passes if the wanted tests do; it reports which others passed."""
        code = code_for(self.test_files, self.wanted)
        return Program(code, partial(self._lay_out, answer), self.python, REPORT)

    def _lay_out(self, answer: str, folder: Path) -> None:
        """
        Raises:
            DataError: git cannot check it out, or the file lies outside of the project.
        """
        tree = folder / FOLDER
        # A repository of its own: neither hooks nor filters that the clone has set up are run.
        copy = ("clone", "--quiet", "--shared", "--no-checkout", "--template=", str(self.clone), str(tree))
        within = ("-C", str(tree), "checkout", "--quiet")
        for command in (
            copy,
            (*within, "--detach", self.parent),
            (*within, self.commit, "--", *self.test_files),
        ):
            if said := _git(*command):
                raise DataError(f"git: {said}")
        shutil.rmtree(tree / ".git")
        path = (tree / self.file).resolve()
        if not path.is_relative_to(tree.resolve()):
            raise DataError(f"{self.file} lies outside of its project")
        path.write_bytes((self.above + answer + self.below).encode("utf-8", "surrogatepass"))


def read_commits(path: Path, clones: Path, python: Path) -> list[JudgedCase]:
    """The cases of a file; commits whose tests can be run are `ProjectCase`s, others say why not.

    Args:
        clones: holds each project as OWNER+NAME, OWNER+NAME/repo or OWNER/NAME, with a work tree or without.
        python: an interpreter with pytest and what the projects need.

    Raises:
        DataError: the file cannot be read, or a row is of no known format.
    """
    cases = []
    for number, (row, case) in enumerate(zip(read_rows(path), read_cases(path), strict=True), 1):
        try:
            cases.append(_with_tests(row, case, clones, python) if row.get("exec") else case)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}, row {number}: {error} is missing or wrong; see the formats") from error
    return cases


def _with_tests(row: Mapping[str, Any], case: JudgedCase, clones: Path, python: Path) -> JudgedCase:
    clone = _clone(clones, row["repo"])
    if clone is None:
        return replace(case, unjudged=f"there is no clone of {row['repo']}")
    commits = (row["commit"], row["parent"])
    absent = [c for c in commits if _git("-C", str(clone), "cat-file", "-e", f"{c}^{{commit}}")]
    if absent:
        return replace(case, unjudged=f"git finds no {absent[0][:10]} in the clone of {row['repo']}")
    lines = list(StringIO(row["file_before"], newline=""))  # as Python counts them
    first, last = row["before_span"]
    if "".join(lines[first - 1 : last]) != row["before"]:
        raise ValueError(f"`before_span` {first}-{last}")
    return ProjectCase(
        case.name,
        case.instruction,
        case.before,
        case.after,
        tests="",
        parent=row["parent"],
        commit=row["commit"],
        file=row["file"],
        above="".join(lines[: first - 1]),
        below="".join(lines[last:]),
        test_files=tuple(row["exec"]["test_files"]),
        wanted=tuple(row["exec"]["fail_to_pass"]),
        clone=clone,
        python=python,
    )


def _clone(clones: Path, repo: str) -> Path | None:
    joined = clones / repo.replace("/", "+")
    places = (joined / "repo", joined, clones / repo)
    return next((p.resolve() for p in places if (p / ".git").exists() or (p / "HEAD").is_file()), None)


def _git(*arguments: str) -> str:
    """What git says last where it fails; else nothing.

    Raises:
        DataError: there is no git.
    """
    # Of a partial clone, what it lacks stays away; hooks that the user has for all repositories are not for these.
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
    except FileNotFoundError as error:
        raise DataError("git is not installed; install it to check projects out") from error
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (said or ["it gave no reason"])[-1] if done.returncode else ""
