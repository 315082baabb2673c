import json
import sys
from pathlib import Path

import pytest

from engine.errors import DataError
from engine.evaluation.judged import digest
from engine.evaluation.project_tests import FOLDER
from engine.evaluation.projects import ProjectCase, read_commits
from tests.engine.evaluation.clones import ABOVE, BELOW, SAME, commit, git, make_clone


def read(tmp_path, *rows, clones="clones"):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_commits(path, tmp_path / clones, Path(sys.executable))


@pytest.mark.parametrize("place", ["a+b", "a+b/repo", "a/b"])
def test_an_answer_gets_the_parent_with_the_tests_of_the_commit(tmp_path, place):
    row = make_clone(tmp_path / "clones" / place)
    (case,) = read(tmp_path, row)
    assert isinstance(case, ProjectCase)
    assert (case.instruction, case.head, case.unjudged) == ("Add one", "", "")
    folder = tmp_path / "cage"
    folder.mkdir()
    case.program(SAME).fill(folder)
    tree = folder / FOLDER
    assert (tree / "src/adding.py").read_text() == ABOVE + SAME + BELOW
    assert "test_one" in (tree / "tests/test_adding.py").read_text()
    assert not (tree / ".git").exists()
    assert git(tmp_path / "clones" / place, "status", "--porcelain") == ""


def test_a_clone_without_a_work_tree_will_do(tmp_path):
    row = make_clone(tmp_path / "work")
    (tmp_path / "clones").mkdir()
    git(tmp_path, "clone", "-q", "--bare", "work", "clones/a+b")
    (case,) = read(tmp_path, row)
    case.program(SAME).fill(tmp_path)
    assert (tmp_path / FOLDER / "src/adding.py").read_text() == ABOVE + SAME + BELOW


def test_what_cannot_be_run_says_why(tmp_path):
    row = make_clone(tmp_path / "clones/a+b")
    untested = {key: value for key, value in row.items() if key != "exec"}
    found = read(
        tmp_path,
        row | {"id": "1", "repo": "a/c"},
        row | {"id": "2", "parent": "1" * 40},
        untested | {"id": "3"},
    )
    reasons = ["there is no clone of a/c", "git finds no 1111111111 in the clone of a/b", "it has no tests"]
    assert [case.unjudged for case in found] == reasons


def test_neither_hooks_nor_filters_of_a_clone_are_run(tmp_path):
    row, clone = make_clone(tmp_path / "clones/a+b"), tmp_path / "clones/a+b"
    hook = clone / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(clone, "config", "filter.own.smudge", f"touch {tmp_path}/ran; cat")
    (clone / ".git/info").mkdir(exist_ok=True)
    (clone / ".git/info/attributes").write_text("*.py filter=own\n")
    (case,) = read(tmp_path, row)
    case.program(SAME).fill(tmp_path)
    assert (tmp_path / FOLDER / "src/adding.py").exists()
    assert not (tmp_path / "ran").exists()


def test_no_answer_is_written_through_a_link_out_of_the_project(tmp_path):
    row, clone = make_clone(tmp_path / "clones/a+b"), tmp_path / "clones/a+b"
    outside = tmp_path / "outside.py"
    outside.write_text("kept")
    (clone / "src/adding.py").unlink()
    (clone / "src/adding.py").symlink_to(outside)
    (case,) = read(tmp_path, row | {"parent": commit(clone, {})})
    with pytest.raises(DataError, match=r"src/adding\.py lies outside"):
        case.program(SAME).fill(tmp_path)
    assert outside.read_text() == "kept"


def test_what_git_cannot_check_out_is_an_error(tmp_path):
    row = make_clone(tmp_path / "clones/a+b")
    (case,) = read(tmp_path, row | {"exec": row["exec"] | {"test_files": ["tests/absent.py"]}})
    with pytest.raises(DataError, match=r"git: .*absent\.py"):
        case.program(SAME).fill(tmp_path)


@pytest.mark.parametrize("change", [{"before_span": [1, 2]}, {"before_span": None}, {"file_before": None}])
def test_a_row_that_is_wrong_is_named(tmp_path, change):
    row = make_clone(tmp_path / "clones/a+b")
    with pytest.raises(DataError, match="row 1"):
        read(tmp_path, row | change)


def test_the_digest_knows_the_tests_and_not_the_places(tmp_path):
    row = make_clone(tmp_path / "clones/a+b")
    (tmp_path / "clones").rename(tmp_path / "moved")
    moved = read(tmp_path, row, clones="moved")
    (tmp_path / "moved").rename(tmp_path / "clones")
    assert digest(read(tmp_path, row)) == digest(moved)
    assert digest(read(tmp_path, row, clones="none")) != digest(moved)
    assert digest(read(tmp_path, row | {"exec": row["exec"] | {"fail_to_pass": []}})) != digest(moved)
