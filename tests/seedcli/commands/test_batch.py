"""Many jobs in one run: results, order, exit codes, files written one job after the other."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.requests import EditOptions, EditRequest, Proposal
from seedcli.batching import windows
from seedcli.batching.results import patch_name
from seedcli.model_client import ScriptedModel, open_model
from seedcli.patches.journal import Journal
from seedcli.repository.workspace import Workspace
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, SUB, Result, Seed, git
from tests.seedcli.commands.scripted import replacing

Job = dict[str, Any]


def job(id_: object, target: object = "calc.py", **fields: object) -> Job:
    return {"id": id_, "instruction": "fix the bug", "target": target, **fields}


@pytest.fixture
def repo(repo: Path) -> Path:
    """More files than one."""
    for name in ("one.py", "two.py"):
        (repo / name).write_text(ADD + "\n\n" + SUB)
    git(repo, "add", ".")
    return repo


def batch(seed: Seed, jobs: Sequence[Job], *flags: str, **more: Any) -> Result:
    Path("../jobs.jsonl").write_text("".join(json.dumps(j) + "\n" for j in jobs))
    return seed("batch", "../jobs.jsonl", *flags, **more)


def results(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


def outcomes(done: Result) -> list[tuple[object, str]]:
    return [(r["id"], r["outcome"]) for r in results(done)]


def test_a_job_may_name_what_one_before_it_makes(repo: Path, seed: Seed) -> None:
    jobs = [
        job(1, "calc.py::add"),
        job(2, "calc.py::plus"),
        {"id": 2},
        job(3, "calc.py::nowhere"),
        job(4, "one.py"),
    ]
    model = ScriptedModel(replacing({"def add": "def plus"}))
    done = batch(seed, jobs, "-y", model=model)
    assert outcomes(done) == [(1, "applied"), (2, "unchanged"), (2, "error"), (3, "error"), (4, "applied")]
    assert "calc.py has no 'nowhere'" in results(done)[3]["message"]


def test_a_result_is_what_seed_edit_says_with_the_id_first(repo: Path, seed: Seed) -> None:
    done = batch(seed, [job(1), job("b", "one.py::sub")])
    assert done.code == 1
    first, second = results(done)
    alone = seed("edit", "--json", "fix the bug", "calc.py").json
    assert list(first) == ["id", *alone]
    assert {**first, "seconds": 0} == {"id": 1, **alone, "seconds": 0}
    assert (second["id"], second["outcome"]) == ("b", "unchanged")
    assert second["message"] == "nothing to change in one.py:5 sub"
    assert git(repo, "diff") == b""
    assert "2 jobs: 1 ended with 0, 1 did not" in done.err


def test_what_a_recipe_has_nothing_to_do_with_is_not_asked(repo: Path, seed: Seed) -> None:
    renames = [
        {"id": n, "recipe": "rename", "vars": {"old": old, "new": "x"}, "target": "one.py"}
        for n, old in enumerate(("total", "sub"))
    ]
    model = ScriptedModel({})
    first, second = results(batch(seed, renames, model=model))
    assert [request.region[:7] for request in model.asked] == ["def sub"]
    assert (
        first["message"]
        == "nothing to change in 2 regions: what the instruction is about does not stand there"
    )
    assert second["message"] == "nothing to change in 2 regions"


def test_a_run_that_is_complete_leaves_no_state_and_begins_anew(repo: Path, seed: Seed) -> None:
    model = ScriptedModel({})
    for times in (1, 2):
        assert batch(seed, [job(1)], model=model).code == 0
        assert len(model.asked) == 2 * times
    assert not Path("../jobs.jsonl.state").exists()


def test_bad_jobs_stop_no_other(repo: Path, seed: Seed) -> None:
    lines = [
        json.dumps(job("good", "one.py")),
        "no json",
        json.dumps(job("absent", "absent.py")),
        json.dumps(job("outside", "../jobs.jsonl")),
        json.dumps(job("option", options={"top_k": -1})),
        json.dumps({"id": "recipe", "recipe": "rename", "target": "two.py"}),
        json.dumps(job("good", "two.py")),
        json.dumps(job("last", "two.py")),
    ]
    Path("../jobs.jsonl").write_text("\n".join(lines))
    done = seed("batch", "../jobs.jsonl")
    found = results(done)
    assert [(r["id"], r["outcome"]) for r in found] == [
        ("good", "proposed"),
        (None, "error"),
        ("absent", "error"),
        ("outside", "error"),
        ("option", "error"),
        ("recipe", "error"),
        ("good", "error"),
        ("last", "proposed"),
    ]
    assert "absent.py does not exist" in found[2]["message"]
    assert "top-k must be a whole number" in found[4]["message"]
    assert "misses the variable 'old'" in found[5]["message"]
    assert "the id 'good' stands in line 1 already" in found[6]["message"]
    assert outcomes(batch(seed, [job(1, "one.py"), job("1", "two.py")])) == [(1, "proposed"), ("1", "error")]
    assert done.code == 1


def test_an_id_counts_in_a_line_that_is_no_job_too(repo: Path, seed: Seed) -> None:
    done = batch(seed, [{"id": 1}, job("1", "one.py"), job(2, "two.py"), {"id": 2}])
    found = results(done)
    assert [(r["id"], r["outcome"]) for r in found] == [
        (1, "error"),
        ("1", "error"),
        (2, "proposed"),
        (2, "error"),
    ]
    assert "line 2: the id '1' stands in line 1 already" in found[1]["message"]


@pytest.mark.parametrize(
    ("jobs", "flags", "code"),
    [
        ([job(1, "one.py::sub")], (), 0),
        ([job(1)], (), 1),
        ([job(1)], ("--exit-zero",), 0),
        ([job(1, options={"exit-zero": True})], (), 0),
        ([job(1)], ("-y",), 0),
        ([job(1, "one.py::sub", options={"expect_change": True})], (), 1),
        ([], (), 0),
    ],
)
def test_exit_codes(repo: Path, seed: Seed, jobs: list[Job], flags: tuple[str, ...], code: int) -> None:
    assert batch(seed, jobs, *flags).code == code


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("absent.jsonl",), 2, "the jobs 'absent.jsonl' cannot be read"),
        ((".",), 2, "the jobs '.' cannot be read: Is a directory"),
        (("../jobs.jsonl", "--model", "absent"), 3, "no model 'absent'"),
        (("../jobs.jsonl", "--top-k", "-3"), 2, "--top-k must be"),
        (("../jobs.jsonl", "--patch-dir", "calc.py/x"), 2, "the folder calc.py/x cannot be made"),
        (("../jobs.jsonl", "--state", "calc.py"), 2, "calc.py is no state of a run"),
    ],
)
def test_what_ends_the_whole_run(
    repo: Path, seed: Seed, arguments: tuple[str, ...], code: int, words: str
) -> None:
    Path("../jobs.jsonl").write_text(json.dumps(job(1)) + "\n")
    done = seed("batch", *arguments, model=None)
    assert (done.code, done.out) == (code, b"")
    assert words in done.err
    assert (repo / "calc.py").read_text() == ADD + "\n\n" + SUB


def test_jobs_come_on_stdin(repo: Path, seed: Seed) -> None:
    done = seed("batch", "-", stdin=json.dumps(job(1)).encode())
    assert outcomes(done) == [(1, "proposed")]
    assert not list(repo.glob("*state*"))


def test_a_recipe_with_its_variables(repo: Path, seed: Seed) -> None:
    model = ScriptedModel({})
    asked = [{"id": 1, "recipe": "rename", "vars": {"old": "a", "new": "b"}, "target": "calc.py::add"}]
    assert batch(seed, asked, model=model).code == 0
    assert "rename a to b" in model.asked[0].instruction


def test_options_of_a_job_are_those_of_the_run_with_its_own(repo: Path, seed: Seed) -> None:
    model = ScriptedModel({})
    jobs = [job(1), job(2, "one.py", options={"-n": 4, "threshold": 0.25})]
    batch(seed, jobs, "--seed", "7", "--threshold", "0.5", model=model)
    assert model.options == [
        EditOptions(threshold=0.5, seed=7),
        EditOptions(candidates=4, threshold=0.25, seed=7),
    ]


def test_regions_of_many_jobs_share_batches_and_equal_ones_are_asked_once(repo: Path, seed: Seed) -> None:
    model = ScriptedModel({})
    for i in range(200):
        (repo / f"f{i}.py").write_text(f"def f{i}(x):\n    return x\n\n\ndef same(x):\n    return x + 1\n")
    batch(seed, [job(i, f"f{i}.py") for i in range(200)], model=model)
    assert len(model.asked) == 201
    assert len(model.options) == 4


def test_results_stay_in_order_whatever_is_asked_first(
    repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long regions are asked last; small batches make that visible."""
    monkeypatch.setattr(windows, "BATCH", 2)
    (repo / "long.py").write_text("def long():\n" + "    print(1)\n" * 50)
    jobs = [job("long", "long.py"), *(job(i, f"{name}.py") for i, name in enumerate(["calc", "one", "two"]))]
    different = [j | {"options": {"seed": i}} for i, j in enumerate(jobs)]
    assert [id_ for id_, _ in outcomes(batch(seed, different))] == ["long", 0, 1, 2]
    free = [id_ for id_, _ in outcomes(batch(seed, jobs, "--unordered"))]
    assert sorted(map(str, free)) == ["0", "1", "2", "long"]
    assert free[-1] == "long"


class TestPatches:
    def test_each_patch_applies_by_itself(self, repo: Path, seed: Seed) -> None:
        jobs = [job("a/b", "one.py"), job("none", "one.py::sub"), job(3, ["two.py", "calc.py"])]
        batch(seed, jobs, "--patch-dir", "../patches/new")
        found = sorted(path.name for path in Path("../patches/new").iterdir())
        assert found == ["3.patch", "a%2Fb.patch"]
        for name in found:
            git(repo, "apply", f"../patches/new/{name}")
        assert all((repo / f"{name}.py").read_text().startswith(ADD_FIXED) for name in ("one", "two", "calc"))

    @pytest.mark.parametrize("id_", ["..", ".", "/etc/passwd", "x" * 999, "ü" * 300, "a\nb", "a\0b", 7])
    def test_names_of_files_hold_any_id(self, tmp_path: Path, id_: str | int) -> None:
        name = patch_name(id_)
        path = tmp_path / name
        path.write_bytes(b"x")
        assert path.resolve().parent == tmp_path.resolve()
        assert name != patch_name(f"{id_} ")


class TestWriting:
    def test_each_job_is_a_run_of_its_own(self, repo: Path, seed: Seed) -> None:
        done = batch(seed, [job(1, "one.py"), job(2, "two.py")], "-y")
        first, second = results(done)
        assert [r["outcome"] for r in (first, second)] == ["applied", "applied"]
        assert (repo / "one.py").read_text() == (repo / "two.py").read_text() == ADD_FIXED + "\n\n" + SUB
        assert seed("undo", first["run"]).code == 0
        assert (repo / "one.py").read_text() == ADD + "\n\n" + SUB
        assert (repo / "two.py").read_text() == ADD_FIXED + "\n\n" + SUB

    def test_jobs_on_one_file_see_each_others_lines_move(self, repo: Path, seed: Seed) -> None:
        """The lines that the second and third name are those of the file before the first."""
        grown = "def add(a, b):\n    c = a + b\n    return c\n"
        answers = ScriptedModel({ADD: grown, SUB: SUB.replace("+", "-"), grown: ADD_FIXED})
        jobs = [job(1, "calc.py::add"), job(2, "calc.py:5-6"), job(3, "calc.py:1-2", options={"seed": 2})]
        done = batch(seed, jobs, "-y", model=answers)
        assert outcomes(done) == [(1, "applied"), (2, "applied"), (3, "applied")]
        assert [request.region for request in answers.asked] == [ADD, SUB, grown]
        assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB.replace("+", "-")

    def test_a_job_on_what_another_wrote_reads_it_again(self, repo: Path, seed: Seed) -> None:
        one, two, three = (f"def f():\n    return {n}\n" for n in (1, 2, 3))
        counting = ScriptedModel({one: two, two: three})
        (repo / "count.py").write_text(one)
        done = batch(
            seed, [job(1, "count.py"), job(2, "count.py::f"), job(3, "count.py")], "-y", model=counting
        )
        assert [r["outcome"] for r in results(done)] == ["applied"] * 2 + ["unchanged"]
        assert (repo / "count.py").read_text() == three

    def test_a_file_that_changes_underneath_is_a_conflict_of_its_job_alone(
        self, repo: Path, seed: Seed
    ) -> None:
        def meddling(request: EditRequest) -> str | None:
            (repo / "one.py").write_text("something = 1\n")
            return replacing({"a - b": "a + b"})(request)

        done = batch(seed, [job(1, "one.py"), job(2, "two.py")], "-y", model=ScriptedModel(meddling))
        assert outcomes(done) == [(1, "conflict"), (2, "applied")]
        assert (repo / "one.py").read_text() == "something = 1\n"
        assert done.code == 1

    def test_removed_lines_cannot_be_named_again(self, repo: Path, seed: Seed) -> None:
        removing = ScriptedModel(lambda request: "" if request.region == SUB else None)
        jobs = [job(1, "calc.py:5-6"), job(2, "calc.py:5-6"), job(3, "calc.py:1-2")]
        done = batch(seed, jobs, "-y", model=removing)
        assert outcomes(done) == [(1, "applied"), (2, "error"), (3, "unchanged")]
        assert "an earlier job of this run has removed these lines" in results(done)[1]["message"]


class TestGoingOn:
    """A run that ends early, and the same command again, in one process."""

    def stopped(self, asked: int) -> ScriptedModel:
        """A model that is interrupted after it was asked so often."""

        def answer(request: EditRequest) -> str | None:
            if len(model.asked) > asked:
                raise KeyboardInterrupt
            return replacing({"a - b": "a + b"})(request)

        model = ScriptedModel(answer)
        return model

    @pytest.mark.parametrize("flags", [(), ("-y",), ("--unordered",)])
    def test_what_was_answered_is_not_asked_again(
        self, repo: Path, seed: Seed, flags: tuple[str, ...]
    ) -> None:
        jobs = [job(i, f"{name}.py", options={"seed": i}) for i, name in enumerate(["calc", "one", "two"])]
        assert batch(seed, jobs, *flags, model=self.stopped(4)).code == 130
        model = ScriptedModel(replacing({"a - b": "a + b"}))
        done = batch(seed, jobs, *flags, model=model)
        assert len(model.asked) == 2
        wanted = "applied" if flags == ("-y",) else "proposed"
        assert sorted(outcomes(done)) == [(0, wanted), (1, wanted), (2, wanted)]
        assert "going on with ../jobs.jsonl.state" in done.err

    def test_other_options_or_another_model_do_not_go_on(self, repo: Path, seed: Seed) -> None:
        jobs = [job(i, f"{name}.py", options={"seed": i}) for i, name in enumerate(["calc", "one", "two"])]
        assert batch(seed, jobs, model=self.stopped(4)).code == 130
        done = batch(seed, jobs, "--threshold", "0.9")
        assert (done.code, done.out) == (2, b"")
        assert "--no-resume begins anew" in done.err
        model = ScriptedModel({})
        assert batch(seed, jobs, "--threshold", "0.9", "--no-resume", model=model).code == 0
        assert len(model.asked) == 6

    def test_a_line_that_was_mended_is_done_and_the_others_are_not_repeated(
        self, repo: Path, seed: Seed
    ) -> None:
        jobs = [job(0, "absent.py"), job(1, "one.py"), job(2, "two.py", options={"seed": 1})]
        assert batch(seed, jobs, model=self.stopped(2)).code == 130
        jobs[0] = job(0, "calc.py", options={"seed": 3})
        model = ScriptedModel(replacing({"a - b": "a + b"}))
        assert outcomes(batch(seed, jobs, model=model)) == [(0, "proposed"), (1, "proposed"), (2, "proposed")]
        assert len(model.asked) == 4

    def test_appending_results_a_second_time_is_refused(self, repo: Path) -> None:
        (repo / "jobs.jsonl").write_text(json.dumps(job(1, "one.py")) + "\n")
        here = Path(__file__).parents[3]
        env = os.environ | {"PYTHONPATH": str(here), "SCRIPT": "{}"}
        command = [sys.executable, "-m", "tests.seedcli.commands.scripted", "batch", "jobs.jsonl"]
        with open(repo / "out", "ab") as out:
            read, write = os.pipe()
            os.close(read)
            # Nobody reads: the result is in the state, not on stdout.
            done = subprocess.run(
                command, cwd=repo, env=env, stdout=write, stderr=subprocess.PIPE, check=False
            )
            os.close(write)
            assert (done.returncode, done.stderr.count(b"nobody reads stdout")) == (1, 1)
            out.write(b"{}\n")
            out.flush()
            done = subprocess.run(command, cwd=repo, env=env, stdout=out, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 2
            assert b"write with > anew" in done.stderr
        done = subprocess.run(command, cwd=repo, env=env, capture_output=True, check=False)
        assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "unchanged")

    def test_a_job_killed_between_writing_and_its_result_is_not_done_twice(
        self, repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        grows = replacing({"a - b": "a - b  # again"})
        write = Journal.write

        def killed(self: Journal, *arguments: Any, **named: Any) -> str:
            write(self, *arguments, **named)
            raise KeyboardInterrupt

        monkeypatch.setattr(Journal, "write", killed)
        assert batch(seed, [job(1), job(2, "one.py")], "-y", model=ScriptedModel(grows)).code == 130
        monkeypatch.setattr(Journal, "write", write)
        done = batch(seed, [job(1), job(2, "one.py")], "-y", model=ScriptedModel(grows))
        assert outcomes(done) == [(1, "applied"), (2, "applied")]
        assert (repo / "calc.py").read_text().count("again") == 1
        runs = Journal(Path(os.environ["XDG_STATE_HOME"]) / "seed", Workspace.discover(repo)).runs()
        assert {r["run"] for r in results(done)} == {run.id for run in runs}


@pytest.mark.slow
def test_the_checkpoint_that_comes_along(repo: Path, seed: Seed) -> None:
    broken = "def area(width, height)\n    result = width * height\n    return result\n"
    (repo / "broken.py").write_text(broken)
    (repo / "sound.py").write_text(broken.replace(")\n", "):\n", 1))
    model = open_model(None)
    jobs = [
        job("broken", "broken.py"),
        job("sound", "sound.py"),
        job("poem", "sound.py", instruction="write a poem"),
    ]
    done = batch(seed, jobs, model=model)
    assert outcomes(done) == [("broken", "proposed"), ("sound", "unchanged"), ("poem", "no_edit")]
    git(repo, "apply", stdin=results(done)[0]["patch"].encode())
    assert (repo / "broken.py").read_text() == (repo / "sound.py").read_text()


def test_a_verdict_of_no_edit_is_told_in_one_message(repo: Path, seed: Seed) -> None:
    unsure = ScriptedModel(lambda _: Proposal("unsure", (), "no idea", 0.5, 1, 1, 3))
    (found,) = results(batch(seed, [job(1)], model=unsure))
    assert (found["outcome"], found["message"]) == ("no_edit", "2 regions: no idea")


class TestChecks:
    """A job's own check chooses among its candidates."""

    CHOICES = ScriptedModel(lambda request: [request.region.replace("a - b", f"a {op} b") for op in "*+%"])

    def test_the_first_candidate_that_passes_is_the_jobs(self, repo: Path, seed: Seed) -> None:
        passing = {"n": 3, "check": "python3 -c 'from one import add; assert add(2, 3) == 5'"}
        jobs = [
            job(1, "one.py::add", options=passing),
            job(2, "two.py::add", options={"n": 3, "check": "false"}),
            job(3, "calc.py::add", options={"n": 3}),
        ]
        done = batch(seed, jobs, "-y", model=self.CHOICES)
        assert (done.code, outcomes(done)) == (1, [(1, "applied"), (2, "check_failed"), (3, "applied")])
        first, second, third = results(done)
        assert [c["check"] for c in first["candidates"]] == ["failed", "passed", "skipped"]
        assert [c["check"] for c in second["candidates"]] == ["failed"] * 3
        assert [c["check"] for c in third["candidates"]] == [None] * 3
        assert first["seconds"]["check"] > 0
        assert (repo / "one.py").read_text().startswith(ADD_FIXED)
        assert (repo / "two.py").read_text().startswith(ADD)
        assert "a * b" in (repo / "calc.py").read_text()

    def test_a_check_sees_what_the_jobs_before_have_written(self, repo: Path, seed: Seed) -> None:
        check = "grep -q 'a + b' one.py && grep -q 'a + b' two.py"
        jobs = [job(1, "one.py::add"), job(2, "two.py::add", options={"check": check})]
        assert outcomes(batch(seed, jobs, "-y")) == [(1, "applied"), (2, "applied")]

    def test_a_proposal_that_passed_is_not_written_without_y(self, repo: Path, seed: Seed) -> None:
        done = batch(seed, [job(1, "one.py::add", options={"check": "grep -q 'a + b' one.py"})])
        assert outcomes(done) == [(1, "proposed")]
        assert git(repo, "diff") == b""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"check": ""}, "'check' must be a text"),
            ({"check-all": True}, "--check-all says how to check; give --check CMD too"),
            ({"check-timeout": 5}, "--check-timeout says how to check"),
            ({"check": "true", "check-timeout": "soon"}, "must be a number"),
            ({"check": "true", "tries": 3}, "unknown option 'tries'"),
        ],
    )
    def test_checks_that_make_no_sense(
        self, repo: Path, seed: Seed, options: dict[str, object], message: str
    ) -> None:
        (result,) = results(batch(seed, [job(1, options=options)]))
        assert result["outcome"] == "error"
        assert message in result["message"]
