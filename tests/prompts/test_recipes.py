from pathlib import Path

import pytest

from engine.data.phrasings import TRAINED, canonical
from prompts.recipes import BUNDLED, Recipe, RecipeError, find_recipe, load_recipe, load_recipes

RECIPE = """---
name: greet
summary: Greet someone
needs: python
phrasings:
  - say {word} to {who}
  - {who} gets {word}
variables:
  word: the greeting
  who: whom: a person
---
For people.
"""


def write(folder: Path, text: str, name: str = "greet.md") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


TRAINED_FOR = [recipe for recipe in load_recipes().values() if not recipe.models]


def test_every_recipe_that_seed_is_trained_for_is_there() -> None:
    assert {recipe.name for recipe in TRAINED_FOR} == {
        "fix", "rename", "fstring", "idioms", "enumerate", "add-default", "remove-default", "remove-prints",
    }  # fmt: skip


def test_the_others_are_for_large_models() -> None:
    large = {recipe.name: recipe.gives for recipe in load_recipes().values() if recipe.models == "large"}
    texts = dict.fromkeys(("explain-diff", "commit-message", "review-comments"), "text")
    assert large == {**dict.fromkeys(("docstrings", "type-hints", "tests"), ""), **texts}


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.md")), ids=lambda path: path.stem)
def test_a_bundled_recipe_is_named_as_its_file_and_described(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    assert recipe.description
    assert len(set(recipe.phrasings)) == len(recipe.phrasings) >= 3


def test_the_first_phrasing_is_rendered(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE))
    assert recipe.variables == {"word": "the greeting", "who": "whom: a person"}
    assert recipe.render({"word": "{who}", "who": "a\\1b"}) == "say {who} to a\\1b"


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE))
    with pytest.raises(RecipeError, match=r"'greet' misses the variable 'who'; add who=\.\.\."):
        recipe.render({"word": "hello"})


def test_an_unknown_variable_is_named_with_the_known_ones(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE))
    with pytest.raises(RecipeError, match="no variable 'whom'; known: word, who"):
        recipe.render({"word": "hello", "whom": "you"})


def test_an_unknown_recipe_is_answered_with_near_ones() -> None:
    with pytest.raises(RecipeError, match="no recipe 'fstrings'; did you mean fstring"):
        find_recipe(load_recipes(), "fstrings")
    with pytest.raises(RecipeError, match=r"no recipe 'zzz'; see `seed prompts list`$"):
        find_recipe(load_recipes(), "zzz")


def test_the_users_recipes_add_and_override(tmp_path: Path) -> None:
    write(tmp_path, RECIPE)
    write(tmp_path, "---\nname: fix\nsummary: mine\nphrasings:\n- mend it\n---\n", "fix.md")
    recipes = load_recipes([tmp_path, tmp_path / "absent"])
    assert recipes["greet"].summary == "Greet someone"
    assert recipes["fix"].render({}) == "mend it"
    assert "rename" in recipes


HOLDING = RECIPE.replace("variables:", "holds:\n  - {word}\n  - hello\nvariables:")


@pytest.mark.parametrize(
    ("instruction", "values"),
    [
        ("say hi to the whole world", {"word": "hi", "who": "the whole world"}),
        (" Say `a.b` to 'her'. ", {"word": "a.b", "who": "her"}),
        ("she gets it", {"word": "it", "who": "she"}),
        ("say good day to her", None),
        ("say hi", None),
        ("do not say hi to her", None),
        ("please say the word hi to her", None),
        ("Could you say the name 'hi' to her everywhere, please?", {"word": "hi", "who": "her"}),
        ("say all uses of hi to her in this whole file", {"word": "hi", "who": "her"}),
        ("say name to her", {"word": "name", "who": "her"}),
        ("say variable name to her", {"word": "name", "who": "her"}),
        ("say hi to her in the docs", {"word": "hi", "who": "her in the docs"}),
    ],
)
def test_an_instruction_tells_the_values_of_a_phrasing(
    tmp_path: Path, instruction: str, values: dict[str, str] | None
) -> None:
    """A value that a region has to hold is one word, so that no word of the sentence is taken for it."""
    assert load_recipe(write(tmp_path, HOLDING)).values_of(instruction) == values


def test_what_is_rendered_is_the_first_phrasing(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, HOLDING))
    assert recipe.values_of("say hi to her", rendered=True) == {"word": "hi", "who": "her"}
    assert recipe.values_of("she gets it", rendered=True) is None


@pytest.mark.parametrize("recipe", [r for r in load_recipes().values() if r.holds], ids=lambda r: r.name)
def test_what_is_rendered_tells_its_values(recipe: Recipe) -> None:
    values = {name: f"self.a_{i}" for i, name in enumerate(recipe.variables)}
    assert recipe.values_of(recipe.render(values)) == values


@pytest.mark.parametrize(
    ("text", "concerns"),
    [("x = a.b", True), ("x = a.bc", False), ("xa.b", False), ("hello()", True), ("a_b", False), ("", False)],
)
def test_a_recipe_concerns_what_holds_its_words(tmp_path: Path, text: str, concerns: bool) -> None:
    values = {"word": "a.b", "who": "x"}
    assert load_recipe(write(tmp_path, HOLDING)).concerns(text, values) is concerns
    assert load_recipe(write(tmp_path, RECIPE)).concerns(text, values)


def test_what_stands_there_need_not_be_a_word(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE.replace("variables:", "holds:\n  - .format(\nvariables:")))
    assert recipe.concerns("'{}'.format(x)", {})
    assert not recipe.concerns("format(x)", {})


def test_needs_says_which_files_fit(tmp_path: Path) -> None:
    python: Recipe = load_recipe(write(tmp_path, RECIPE))
    anything = load_recipe(write(tmp_path, RECIPE.replace("needs: python\n", "")))
    names = ("a/b.py", "b.pyi", "b.js")
    assert [python.accepts(name) for name in names] == [True, True, False]
    assert anything.accepts("b.js")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\nname", "name", "no front matter"),
        ("\n---\nFor people.", "\n", "no front matter"),
        ("summary:", "sumary:", "line 3: 'sumary: Greet someone' must be `key: value`"),
        ("needs: python", "name: again", "line 4: 'name: again' must be"),
        ("needs: python", "needs: cobol", "'needs' may be python, not 'cobol'"),
        ("needs: python", "models: small", "'models' may be large, not 'small'"),
        ("needs: python", "gives: money", "'gives' may be text, not 'money'"),
        ("needs: python", "law: greet", "'law' may be rename, fstring"),
        ("needs: python", "law: rename", "the law 'rename' is about a variable 'old'; add it"),
        ("name: greet", "name:", "'name' must be given"),
        ("summary: Greet someone\n", "", "'summary' must be given"),
        ("  - say", "  say", "must be a list|does not belong under 'phrasings'"),
        ("  - say", "    nothing", "does not belong under 'phrasings'"),
        ("phrasings:", "phrasings: hello", "does not belong under 'phrasings'"),
        ("{who} gets {word}", "{whom} gets {word}", "look at who, whom"),
        (
            "variables:",
            "holds:\n  - {whom}\nvariables:",
            "'{whom}' may use its variables and no other; look at whom",
        ),
        ("variables:", "holds: it\nvariables:", "'holds' must be a list"),
        ("variables:\n  word: the greeting\n  who: whom: a person\n", "", "look at who, word"),
    ],
)
def test_a_broken_recipe_is_refused_with_its_fault(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in RECIPE
    path = write(tmp_path, RECIPE.replace(old, new))
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)


def test_an_unreadable_recipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.md"
    path.write_bytes(b"---\nname: \xff\n---\n")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(path)


@pytest.mark.parametrize("recipe", TRAINED_FOR, ids=lambda recipe: recipe.name)
def test_the_model_was_trained_for_every_phrasing(recipe: Recipe) -> None:
    assert set(recipe.phrasings) <= set(TRAINED[recipe.name])
    assert recipe.phrasings[0] == canonical(recipe.name)


def test_what_an_edit_may_change_is_told_with_the_values(tmp_path: Path) -> None:
    recipe = load_recipe(
        write(tmp_path, RECIPE.replace("variables:", "changes:\n  - {word}\n  - format\nvariables:"))
    )
    assert recipe.changeable({"word": "a", "who": "b"}) == ("a", "format")
    assert load_recipe(write(tmp_path, RECIPE)).changeable({}) is None
    with pytest.raises(RecipeError, match=r"'\{odd\}' may use its variables"):
        load_recipe(write(tmp_path, RECIPE.replace("variables:", "changes:\n  - {odd}\nvariables:")))
