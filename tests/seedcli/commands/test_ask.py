"""`seed ask` and the recipes for large models."""

from pathlib import Path

import pytest

from engine.requests import Proposal
from seedcli.model_client import ScriptedModel
from tests.seedcli.commands.conftest import Seed, git

DIFF = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


def test_a_recipe_is_asked_about_stdin(repo: Path, seed: Seed) -> None:
    model = ScriptedModel({"": "Rename a to b\n"})
    result = seed("ask", "commit-message", "-", stdin=DIFF, model=model)
    assert (result.code, result.out) == (0, b"Rename a to b\n")
    (asked,) = model.asked
    assert asked.context == DIFF.decode()
    assert asked.instruction.startswith("write a commit message for this diff: one line of at most 72")


def test_words_of_ones_own_are_asked_about_a_file(repo: Path, seed: Seed) -> None:
    model = ScriptedModel({"": "It adds."})
    result = seed("ask", "--json", "what is this?", "calc.py", model=model)
    assert (result.code, result.json["text"], result.json["outcome"]) == (0, "It adds.", "proposed")
    assert model.asked[0].context == (repo / "calc.py").read_text()


def test_no_answer_ends_with_3(repo: Path, seed: Seed) -> None:
    unsure = ScriptedModel({"": Proposal("unsure", (), "not sure", 0.1, 1, 1, 0)})
    for model, message in ((ScriptedModel({}), "it would write nothing"), (unsure, "not sure")):
        result = seed("ask", "explain-diff", "-", stdin=DIFF, model=model)
        assert (result.code, result.out) == (3, b"")
        assert f"the model scripted has no answer: {message}" in result.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("explain-dif", "-"), "no recipe 'explain-dif'; did you mean explain-diff"),
        (("explain-diff", "a", "b"), "name one file to ask about"),
        (("explain-diff", "absent"), "absent does not exist"),
        (("explain-diff", "-"), "stdin is empty"),
    ],
)
def test_what_cannot_be_asked(repo: Path, seed: Seed, words: tuple[str, ...], message: str) -> None:
    result = seed("ask", *words)
    assert (result.code, result.out) == (2, b"")
    assert message in result.err


@pytest.mark.parametrize("recipe", ["explain-diff", "commit-message", "review-comments"])
def test_the_model_that_comes_along_was_not_trained_to_answer(repo: Path, seed: Seed, recipe: str) -> None:
    result = seed("ask", recipe, "-", stdin=DIFF, model=None)
    assert result.code == 3
    assert (
        f"the model default was not trained for the recipe {recipe!r}, which is for large models"
        in result.err
    )
    assert "was not trained to answer questions" in seed("ask", "why is it?", "-", stdin=DIFF, model=None).err


@pytest.mark.parametrize(
    "words", [("docstrings",), ("type-hints",), ("tests", "function=calc.add")], ids=lambda words: words[0]
)
def test_recipes_for_large_models(repo: Path, seed: Seed, words: tuple[str, ...]) -> None:
    target = ("--new", "test_calc.py") if words[0] == "tests" else ("calc.py",)
    result = seed("edit", "--recipe", *words, *target, model=None)
    assert result.code == 3
    assert f"was not trained for the recipe {words[0]!r}, which is for large models" in result.err
    assert git(repo, "status", "--porcelain") == b""
    model = ScriptedModel(lambda request: request.region + "# done\n")
    assert seed("edit", "--recipe", *words, *target, model=model).code == 1


def test_a_recipe_that_gives_text_is_no_edit(repo: Path, seed: Seed) -> None:
    result = seed("edit", "--recipe", "explain-diff", "calc.py")
    assert result.code == 2
    assert "`git diff | seed ask explain-diff -`" in result.err


def test_prompts_show_tells_whom_a_recipe_is_for(repo: Path, seed: Seed) -> None:
    shown = seed("prompts", "show", "tests").out.decode()
    assert "large models that follow any instruction" in shown
    assert "function=...  what to test" in shown
    rows = {row["name"]: row for row in seed("prompts", "list", "--json").json["recipes"]}
    assert (rows["tests"]["models"], rows["fix"]["models"]) == ("large", "")
    assert rows["explain-diff"]["gives"] == "text"
    assert seed("prompts", "show", "--json", "fix").json["recipe"] == rows["fix"]
    assert "did you mean fix" in seed("prompts", "show", "fixx").err


def test_a_recipe_of_the_project_replaces_one_for_large_models(repo: Path, seed: Seed) -> None:
    folder = repo / ".seed" / "prompts"
    folder.mkdir(parents=True)
    (folder / "docstrings.md").write_text("---\nname: docstrings\nsummary: ours\nphrasings:\n- doc it\n---\n")
    assert str(folder) in seed("prompts", "show", "docstrings").out.decode()
    model = ScriptedModel({})
    assert seed("edit", "--recipe", "docstrings", "calc.py", model=model).code == 0
    assert model.asked[0].instruction == "doc it"
