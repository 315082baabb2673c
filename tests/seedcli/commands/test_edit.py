"""What a script can rely on: outcomes, exit codes, the JSON object, stdout and stderr."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.requests import EditRequest, Law, ModelInfo, Proposal, Verdict
from seedcli.model_client import ScriptedModel
from seedcli.patches.patch import Patch
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, SUB, Seed, git
from tests.seedcli.commands.scripted import replacing

UNCHANGED = ScriptedModel({})


def verdict(kind: Verdict, message: str = "") -> Proposal:
    return Proposal(kind, (), message, 0.1, forwards=1, rounds=1, region_tokens=9)


def test_without_a_terminal_the_diff_is_printed_and_nothing_written(repo: Path, seed: Seed) -> None:
    result = seed("edit", "fix the bug", "calc.py")
    assert result.code == 1
    assert result.out.startswith(b"diff --git a/calc.py b/calc.py\n")
    assert git(repo, "status", "--porcelain") == b""
    git(repo, "apply", stdin=result.out)
    assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB
    assert "1 file changed (+1 -1), not written; -y writes" in result.err


def test_exit_zero_makes_a_printed_diff_a_success(repo: Path, seed: Seed) -> None:
    assert seed("edit", "--exit-zero", "fix the bug", "calc.py").code == 0


def test_apply_writes_prints_nothing_and_can_be_undone(repo: Path, seed: Seed) -> None:
    before = (repo / "calc.py").read_bytes()
    result = seed("edit", "-y", "fix the bug", "calc.py")
    assert (result.code, result.out) == (0, b"")
    assert "`seed undo` takes it back" in result.err
    assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB
    assert seed("undo").code == 0
    assert (repo / "calc.py").read_bytes() == before
    assert seed("redo").code == 0
    assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB


def test_apply_and_diff_contradict_each_other(repo: Path, seed: Seed) -> None:
    result = seed("edit", "-y", "--diff", "fix the bug", "calc.py")
    assert (result.code, result.out) == (2, b"")
    assert "give one of them" in result.err


class TestOutcomes:
    """Every outcome of the JSON object with its exit code."""

    def test_proposed(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "--json", "fix the bug", "calc.py")
        assert result.code == 1
        got = result.json
        assert list(got) == [
            "version", "run", "commit", "outcome", "message", "patch", "files", "candidates", "model",
            "forwards", "rounds", "tokens", "seconds",
        ]  # fmt: skip
        assert (got["version"], got["run"], got["outcome"]) == (1, None, "proposed")
        assert got["patch"].encode() == seed("edit", "fix the bug", "calc.py").out
        assert got["files"] == [{"path": "calc.py", "hunks": 1, "added": 1, "removed": 1}]
        assert got["candidates"] == [{"score": 1.0, "check": None}]
        assert got["model"] == {"name": "scripted", "revision": "0" * 12}
        assert (got["forwards"], got["rounds"]) == (1, 1)
        assert got["tokens"] == {"region": 14, "changed": 1}
        assert set(got["seconds"]) == {"load", "context", "model", "check", "apply", "total"}
        assert got["seconds"]["total"] >= got["seconds"]["model"] >= 0
        assert (repo / "calc.py").read_text().startswith(ADD)

    def test_applied(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "-y", "--json", "fix the bug", "calc.py")
        assert result.code == 0
        assert result.json["outcome"] == "applied"
        assert result.json["seconds"]["apply"] > 0
        assert (repo / "calc.py").read_text().startswith(ADD_FIXED)
        (run,) = seed("log", "--json").json["runs"]
        assert (run["id"], run["files"], run["label"]) == (result.json["run"], ["calc.py"], "fix the bug")

    def test_unchanged(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "--json", "fix the bug", "calc.py", model=UNCHANGED)
        assert (result.code, result.json["outcome"], result.json["patch"]) == (0, "unchanged", "")
        assert "nothing to change in 2 regions" in result.err
        result = seed("edit", "--json", "--expect-change", "fix the bug", "calc.py::sub", model=UNCHANGED)
        assert (result.code, result.json["outcome"]) == (3, "unchanged")
        assert result.json["message"] == "nothing to change in calc.py:5 sub"

    @pytest.mark.parametrize("kind", ["unsure", "out_of_scope", "too_long"])
    def test_no_edit(self, repo: Path, seed: Seed, kind: Verdict) -> None:
        model = ScriptedModel(lambda request: verdict(kind, "I would not stand by it"))
        result = seed("edit", "--json", "fix the bug", "calc.py::add", model=model)
        assert (result.code, result.json["outcome"]) == (3, "no_edit")
        assert result.json["message"] == "calc.py:1 add: I would not stand by it"

    def test_conflict(self, repo: Path, seed: Seed) -> None:
        def meddling(request: EditRequest) -> str | None:
            (repo / "calc.py").write_text("x = 1\n")
            return replacing({"a - b": "a + b"})(request)

        result = seed("edit", "-y", "--json", "fix the bug", "calc.py", model=ScriptedModel(meddling))
        assert (result.code, result.json["outcome"], result.json["run"]) == (4, "conflict", None)
        assert "calc.py" in result.json["message"]
        assert (repo / "calc.py").read_text() == "x = 1\n"

    def test_error(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "--json", "fix the bug", "clac.py")
        assert (result.code, result.json["outcome"]) == (2, "error")
        assert result.json["model"] == {"name": None, "revision": None}
        assert result.err == f"seed: {result.json['message']}\n"
        assert "did you mean calc.py?" in result.err


class TestManyRegions:
    """The best outcome of any region decides."""

    def test_one_edit_is_enough(self, repo: Path, seed: Seed) -> None:
        def answer(request: EditRequest) -> str | Proposal:
            return ADD_FIXED if request.region == ADD else verdict("unsure", "not sure")

        result = seed("edit", "fix the bug", "calc.py", model=ScriptedModel(answer))
        assert result.code == 1
        assert b"+    return a + b" in result.out
        assert "calc.py:5 sub: not sure" in result.err

    def test_one_doubt_is_more_than_all_sure(self, repo: Path, seed: Seed) -> None:
        def answer(request: EditRequest) -> Proposal | None:
            return verdict("unsure", "not sure") if request.region == SUB else None

        result = seed("edit", "fix the bug", "calc.py", model=ScriptedModel(answer))
        assert (result.code, result.out) == (3, b"")
        assert result.err == "seed: calc.py:5 sub: not sure\n"

    def test_many_complaints_are_counted(self, repo: Path, seed: Seed) -> None:
        (repo / "many.py").write_text("".join(f"def f{i}():\n    pass\n" for i in range(30)))
        model = ScriptedModel(lambda request: verdict("too_long", "it is too long"))
        result = seed("edit", "fix the bug", "many.py", model=model)
        assert result.err == "seed: 30 regions: it is too long\n"

    def test_the_same_complaint_is_made_once(self, repo: Path, seed: Seed) -> None:
        model = ScriptedModel(lambda request: verdict("out_of_scope", "not trained for this"))
        result = seed("edit", "translate to Go", "calc.py", model=model)
        assert (result.code, result.err) == (3, "seed: 2 regions: not trained for this\n")

    def test_one_broken_edit_among_many_is_left_out(self, repo: Path, seed: Seed) -> None:
        text = "\n\n".join(ADD.replace("add", f"add{i}") for i in range(300))
        (repo / "many.py").write_text(text)
        model = ScriptedModel(replacing({"a - b": "a + b", "add177(a, b):": "add177(a, b:"}))
        result = seed("edit", "-y", "fix the bug", "many.py", model=model)
        assert "many.py:709 add177: the edit found would not parse" in result.err
        fixed = text.replace("a - b", "a + b").replace("add177(a, b):\n    return a + b", ADD[4:].strip())
        assert (repo / "many.py").read_text() == fixed.replace("add(a, b)", "add177(a, b)")

    def test_edits_of_one_file_are_joined(self, repo: Path, seed: Seed) -> None:
        model = ScriptedModel(replacing({"a - b": "(\n        a + b\n    )", "a + b": "a - b"}))
        seed("edit", "-y", "swap", "calc.py", model=model)
        fixed = "def add(a, b):\n    return (\n        a - b\n    )\n\n\ndef sub(a, b):\n    return a - b\n"
        assert (repo / "calc.py").read_text() == fixed

    def test_regions_go_to_the_model_in_batches(self, repo: Path, seed: Seed) -> None:
        (repo / "many.py").write_text("".join(f"def f{i}():\n    pass\n" for i in range(130)))
        model = ScriptedModel({})
        result = seed("edit", "--json", "fix the bug", "many.py", model=model)
        assert (len(model.asked), len(model.options)) == (130, 3)
        assert result.json["forwards"] == 3


class TestValidation:
    """A proposal that no longer parses where the original parsed is not offered."""

    broken = ScriptedModel(replacing({"a - b": "a - ("}))

    def test_a_broken_edit_is_refused(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "fix the bug", "calc.py::add", model=self.broken)
        assert (result.code, result.out) == (3, b"")
        assert "would not parse; --allow-broken offers it" in result.err

    def test_allow_broken_offers_it(self, repo: Path, seed: Seed) -> None:
        result = seed("edit", "--allow-broken", "fix the bug", "calc.py::add", model=self.broken)
        assert (result.code, b"+    return a - (" in result.out) == (1, True)

    def test_a_candidate_that_parses_comes_before_one_that_does_not(self, repo: Path, seed: Seed) -> None:
        model = ScriptedModel({ADD: ["def add(a, b:\n    return a + b\n", ADD_FIXED]})
        result = seed("edit", "--json", "-n", "2", "fix the bug", "calc.py::add", model=model)
        assert result.json["candidates"] == [{"score": 0.9, "check": None}]
        assert "+    return a + b" in result.json["patch"]

    def test_a_file_that_did_not_parse_may_stay_so(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_text("def add(a, b:\n    return a - b\n\n\ndef sub(a, b:\n    return 1\n")
        model = ScriptedModel(replacing({"add(a, b:": "add(a, b):"}))
        result = seed("edit", "fix the bug", "calc.py", model=model)
        assert (result.code, b"+def add(a, b):" in result.out) == (1, True)
        assert "calc.py did not parse, and still does not" in result.err
        model = ScriptedModel(replacing({"b:": "b):"}))
        assert "calc.py did not parse, and does now" in seed("edit", "fix", "calc.py", model=model).err

    @pytest.mark.parametrize(("target", "stands_alone"), [("calc.py:1-2", True), ("calc.py:5-6", False)])
    def test_what_did_not_parse_is_not_broken_further(
        self, target: str, stands_alone: bool, repo: Path, seed: Seed
    ) -> None:
        """Of lines that stand by themselves the model hears that they must; no others get a further fault."""
        before = "def add(a, b):\n    return a - b\n\n\ndef sub(a, b:\n    return a - b\n"
        (repo / "calc.py").write_text(before)
        model = ScriptedModel(replacing({"a - b": "a] - b"}))
        result = seed("edit", "fix the bug", target, model=model)
        assert (result.code, result.out) == (3, b"")
        assert model.asked[0].must_parse is stands_alone
        assert "would break further what does not parse; --allow-broken offers it all" in result.err
        result = seed("edit", "--allow-broken", "fix the bug", target, model=model)
        assert (result.code, b"+    return a] - b" in result.out) == (1, True)
        model = ScriptedModel(replacing({"a - b": "a + b"}))
        assert seed("edit", "fix the bug", target, model=model).code == 1

    def test_made_up_names_are_told_and_may_be_allowed(self, repo: Path, seed: Seed) -> None:
        made_up = Proposal("made_up", (), "the edit found uses names that nothing defines", 1.0, 2, 2, 9)
        model = ScriptedModel(lambda request: made_up if "add" in request.region else None)
        result = seed("edit", "fix the bug", "calc.py::add", model=model)
        assert (result.code, result.out) == (3, b"")
        assert "names that nothing defines; --allow-new-names offers it all the same" in result.err
        seed("edit", "--allow-new-names", "fix the bug", "calc.py::add", model=model)
        seed("edit", "--check", "true", "fix the bug", "calc.py::add", model=model)
        assert [options.new_names for options in model.options] == [False, True, True]

    @pytest.mark.parametrize(
        ("words", "law"),
        [
            (("--recipe", "rename", "old=a", "new=x"), Law("rename", (("old", "a"), ("new", "x")))),
            (("rename a to x",), Law("rename", (("old", "a"), ("new", "x")))),
            (("convert string formatting to f-strings",), Law("fstring")),
            (("--recipe", "fix"), None),
            (("use x instead of a",), None),
        ],
    )
    def test_the_law_of_a_recipe_is_told_the_model(
        self, repo: Path, seed: Seed, words: tuple[str, ...], law: Law | None
    ) -> None:
        unfaithful = Proposal("unfaithful", (), "the edit found uses other names more often", 1.0, 2, 2, 9)
        (repo / "calc.py").write_text("def add(a, b):\n    return '%s' % (a - b)\n")
        model = ScriptedModel(lambda _: unfaithful)
        result = seed("edit", *words, "calc.py::add", model=model)
        assert [request.law for request in model.asked] == [law]
        assert (result.code, result.out) == (3, b"")
        assert "uses other names more often" in result.err

    def test_a_character_that_the_file_cannot_hold_is_a_fault(self, repo: Path, seed: Seed) -> None:
        (repo / "calc.py").write_bytes(b"# coding: latin-1\n" + ADD.encode())
        model = ScriptedModel(replacing({"a - b": "a + b  # \u2192"}))
        result = seed("edit", "fix the bug", "calc.py::add", model=model)
        assert (result.code, result.out) == (3, b"")
        assert "U+2192" in result.err


class TestCandidates:
    def test_each_is_reported_and_the_best_is_taken(self, repo: Path, seed: Seed) -> None:
        model = ScriptedModel({ADD: [ADD_FIXED, ADD.replace("-", "*"), ADD.replace("-", "/")]})
        result = seed("edit", "--json", "-y", "-n", "2", "fix the bug", "calc.py", model=model)
        assert [c["score"] for c in result.json["candidates"]] == [1.0, 0.9]
        assert (repo / "calc.py").read_text().startswith(ADD_FIXED)

    def test_flags_and_settings_reach_the_sampler(self, repo: Path, seed: Seed) -> None:
        (repo / "seed.toml").write_text("threshold = 0.25\nseed = 3\n")
        model = ScriptedModel({})
        arguments = ("--seed", "5", "--temperature", "0.5", "--top-k", "7", "--max-rounds", "9", "-n", "4")
        seed("edit", *arguments, "fix the bug", "calc.py", model=model)
        (options,) = model.options
        assert (options.seed, options.threshold, options.temperature) == (5, 0.25, 0.5)
        assert (options.top_k, options.max_rounds, options.candidates) == (7, 9, 4)
        seed("edit", "--isolated", "fix the bug", "calc.py", model=model)
        assert (model.options[-1].seed, model.options[-1].threshold) == (0, None)


class ReadingContext(ScriptedModel):
    """A scripted model that reads context."""

    @property
    def info(self) -> ModelInfo:
        return replace(super().info, context_tokens=100)


class TestTargets:
    @pytest.mark.parametrize(
        ("target", "regions"),
        [
            ("calc.py", [ADD, SUB]),
            ("calc.py::sub", [SUB]),
            ("calc.py:2", ["    return a - b\n"]),
            ("calc.py:1-2", [ADD]),
            (".", [ADD, SUB]),
        ],
    )
    def test_what_the_model_is_shown(
        self, repo: Path, seed: Seed, target: str, regions: Sequence[str]
    ) -> None:
        model = ScriptedModel({})
        assert seed("edit", "fix the bug", target, model=model).code == 0
        assert [request.region for request in model.asked] == regions
        assert {request.instruction for request in model.asked} == {"fix the bug"}

    def test_targets_come_from_stdin_in_the_place_of_a_dash(self, repo: Path, seed: Seed) -> None:
        (repo / "a b.py").write_text("def f():\n    return 1\n")
        model = ScriptedModel({})
        assert seed("edit", "fix", "calc.py::sub", "-", model=model, stdin=b"a b.py\ncalc.py").code == 0
        assert len(model.asked) == 3

    def test_names_as_git_prints_them(self, repo: Path, seed: Seed) -> None:
        names = ['a"b.py', "é.py", "\u2028.py", "x::f.py", "ü::f.py", "x:3.py", '"as it stands".py']
        for name in names:
            (repo / name).write_text(ADD)
        git(repo, "add", "-A")
        printed = git(repo, "ls-files") + b'"as it stands".py\n'
        result = seed("edit", "-y", "--json", "fix the bug", "-", stdin=printed)
        assert result.code == 0
        assert sorted(file["path"] for file in result.json["files"]) == sorted([*names, "calc.py"])

    @pytest.mark.parametrize(
        ("targets", "stdin", "message"),
        [
            ((), b"", "no target after the instruction 'fix'; name a file"),
            (("-",), b"\n", "target '-': no targets on stdin"),
            (("-", "-"), b"calc.py", "target '-' is given twice"),
        ],
    )
    def test_no_target_is_a_usage_error(
        self, repo: Path, seed: Seed, targets: Sequence[str], stdin: bytes, message: str
    ) -> None:
        result = seed("edit", "fix", *targets, stdin=stdin)
        assert result.code == 2
        assert message in result.err

    def test_context_is_shown_beside_each_region(self, repo: Path, seed: Seed) -> None:
        (repo / "other.py").write_text("X = 1\n")
        (repo / "calc.py").write_text("import math\n\n\n" + ADD + "\n\n" + SUB)
        model = ReadingContext({})
        done = seed("edit", "--show-prompt", "--context", "other.py", "fix", "calc.py::add", model=model)
        assert done.code == 0
        assert {request.context for request in model.asked} == {"X = 1\n\nimport math\n\n"}
        assert "seed: context 1: X = 1\nseed: beside calc.py:4: import math\n" in done.err
        (repo / ".env").write_text("KEY=1\n")
        result = seed("edit", "--context", ".env", "fix", "calc.py")
        assert (result.code, "--force" in result.err) == (2, True)

    def test_ignored_files_need_force(self, repo: Path, seed: Seed) -> None:
        (repo / ".gitignore").write_text("calc2.py\n")
        (repo / "calc2.py").write_text(ADD)
        result = seed("edit", "fix", "calc2.py")
        assert (result.code, "--force" in result.err) == (2, True)
        assert seed("edit", "--force", "fix", "calc2.py").code == 1


class TestRecipes:
    def test_variables_and_targets_may_stand_in_any_order(self, repo: Path, seed: Seed) -> None:
        model = ScriptedModel({})
        assert seed("edit", "--recipe", "rename", "old=a", "calc.py::add", "new=x", model=model).code == 0
        (request,) = model.asked
        assert "a" in request.instruction.split()
        assert "x" in request.instruction.split()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--recipe", "rname", "calc.py"), "no recipe 'rname'; did you mean rename"),
            (("--recipe", "zzz", "calc.py"), "no recipe 'zzz'; see `seed prompts list`"),
            (("--recipe", "rename", "old=a", "calc.py"), "misses the variable 'new'"),
            (("--recipe", "rename", "old=a", "new=b", "nwe=b", "calc.py"), "no variable 'nwe'"),
            (("--recipe", "enumerate", "x=1"), "no variable 'x'"),
            (("--recipe", "rename", "old=a", "new=1 2", "calc.py"), "new='1 2' is no name"),
            (("--recipe", "rename", "old=a", "new=b"), "no target for the recipe 'rename'"),
            (("--recipe", "enumerate", "notes.txt"), "recipe 'enumerate' is for python; 'notes.txt' is not"),
        ],
    )
    def test_mistakes_are_named(self, repo: Path, seed: Seed, words: Sequence[str], message: str) -> None:
        (repo / "notes.txt").write_text("hello\n")
        result = seed("edit", *words)
        assert (result.code, result.out) == (2, b"")
        assert message in result.err
        assert result.err.count("\n") == 1

    @pytest.mark.parametrize("words", [("--recipe", "rename", "old=total", "new=x"), ("rename total to x",)])
    def test_the_model_is_not_asked_where_there_is_nothing_to_do(
        self, words: tuple[str, ...], repo: Path, seed: Seed
    ) -> None:
        both = (repo / "calc.py").read_text()
        model = ScriptedModel(replacing({"b": "x"}))
        done = seed("edit", *words, "calc.py", model=model)
        assert (done.code, model.asked) == (0, [])
        assert (
            "nothing to change in 2 regions: what the instruction is about does not stand there" in done.err
        )
        (repo / "calc.py").write_text(both.replace("def add(a, b):", "def add(a, b):\n    total = 0"))
        done = seed("edit", *words, "calc.py", model=model)
        assert [request.region[:7] for request in model.asked] == ["def add"]
        assert (done.code, b"def add(a, x)" in done.out) == (1, True)
        assert seed("edit", "Please rename the variable `total` to x", "calc.py", model=model).code == 1
        assert [request.region[:7] for request in model.asked] == ["def add"] * 2
        assert seed("edit", "the total should be x", "calc.py", model=model).code == 1
        assert seed("edit", "use enumerate instead of indexing", "calc.py", model=model).code == 1
        assert len(model.asked) == 6

    def test_the_projects_own_recipes_are_found(self, repo: Path, seed: Seed) -> None:
        folder = repo / ".seed" / "prompts"
        folder.mkdir(parents=True)
        (folder / "mine.md").write_text("---\nname: mine\nsummary: My way\nphrasings:\n  - do it\n---\n")
        model = ScriptedModel({})
        assert seed("edit", "--recipe", "mine", "calc.py::add", model=model).code == 0
        assert model.asked[0].instruction == "do it"
        listed = seed("prompts").out.decode().splitlines()
        assert [line.split() for line in listed if "mine" in line] == [["mine", "My", "way"]]
        assert any(line.startswith("rename old=... new=...") for line in listed)
        (folder / "mine.md").write_text("no front matter")
        assert "no front matter" in seed("prompts").err


class TestReviewing:
    """On a terminal the user chooses; here a function chooses in their place."""

    @pytest.fixture
    def choose(self, monkeypatch: pytest.MonkeyPatch) -> list[Patch]:
        answers: list[Patch] = []
        monkeypatch.setattr("seedcli.delivering.is_terminal", lambda stream: True)
        monkeypatch.setattr("seedcli.delivering.ask", lambda patch, title, note, read: answers.pop())
        return answers

    def test_all_accepted(self, repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[str, str, bytes | None]] = []

        def ask(patch: Patch, title: str, note: str, read: object) -> Patch:
            assert callable(read)
            seen.append((title, note, read("calc.py")))
            return patch

        monkeypatch.setattr("seedcli.delivering.is_terminal", lambda stream: True)
        monkeypatch.setattr("seedcli.delivering.ask", ask)
        before = (repo / "calc.py").read_bytes()
        result = seed("edit", "fix the bug", "calc.py")
        assert (result.code, result.out) == (0, b"")
        assert seen == [("fix the bug", "scripted 000000000000; score 1.00", before)]
        assert (repo / "calc.py").read_text().startswith(ADD_FIXED)

    def test_some_accepted(self, repo: Path, seed: Seed, choose: list[Patch]) -> None:
        from seedcli.patches.patch import file_patch

        old = (repo / "calc.py").read_bytes()
        choose.append(Patch((file_patch("calc.py", old, old.replace(b"a - b", b"a + b", 1)),)))
        model = ScriptedModel(replacing({"a - b": "a + b", "sub(a": "sub(x"}))
        result = seed("edit", "fix the bug", "calc.py", model=model)
        assert result.code == 1
        assert (repo / "calc.py").read_bytes() == old.replace(b"a - b", b"a + b", 1)

    def test_none_accepted(self, repo: Path, seed: Seed, choose: list[Patch]) -> None:
        choose.append(Patch(()))
        result = seed("edit", "fix the bug", "calc.py")
        assert (result.code, git(repo, "status", "--porcelain")) == (1, b"")
        assert "nothing accepted, nothing written" in result.err

    def test_json_and_diff_are_never_reviewed(self, repo: Path, seed: Seed, choose: list[Patch]) -> None:
        assert seed("edit", "--json", "fix the bug", "calc.py").json["outcome"] == "proposed"
        assert seed("edit", "--diff", "fix the bug", "calc.py").out.startswith(b"diff")


def test_show_prompt_and_timings_go_to_stderr(repo: Path, seed: Seed) -> None:
    result = seed("edit", "--show-prompt", "--timings", "fix the bug", "calc.py::add")
    assert result.out.startswith(b"diff")
    assert "seed: instruction: fix the bug\nseed: calc.py:1: def add(a, b):\n" in result.err
    assert "forwards, 1 rounds" in result.err


def test_outside_git_it_works_too(tmp_path: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "calc.py").write_text(ADD)
    assert seed("edit", "-y", "fix the bug", "calc.py").code == 0
    assert (folder / "calc.py").read_text() == ADD_FIXED
    assert seed("undo").code == 0
    assert (folder / "calc.py").read_text() == ADD


def test_other_languages_are_edited_by_line_range_or_as_a_whole(repo: Path, seed: Seed) -> None:
    (repo / "a.js").write_text("let x = a - b\nlet y = 1\n")
    model = ScriptedModel(replacing({"a - b": "a + b"}))
    assert seed("edit", "-y", "fix the bug", "a.js", model=model).code == 0
    assert seed("edit", "fix the bug", "a.js:2", model=model).code == 0
    assert [request.region for request in model.asked] == ["let x = a - b\nlet y = 1\n", "let y = 1\n"]
