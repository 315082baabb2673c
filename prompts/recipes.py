"""Recipes: instructions with a name, as text files. Loads, checks and renders them. Standard library only.

A recipe is a Markdown file whose front matter holds `name`, `summary`, `needs`, `models`, `gives`, `law`, a list of
`phrasings`, one of what a region `holds`, one of what its edit `changes`, and a table of `variables`; below it stands a
description for people. Its instruction is the first phrasing, with `{variable}` replaced. A user's
`.seed/prompts/*.md` add to the recipes here, or replace one of their name.
"""

import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

BUNDLED = Path(__file__).parent
LANGUAGES: Mapping[str, tuple[str, ...]] = {"": (), "python": (".py", ".pyi")}
"""What `needs` may say, and the suffixes of the files that satisfy it; none for any file."""
LARGE = "large"
MODELS: Mapping[str, str] = {
    "": "models trained for it, the default one among them",
    LARGE: "large models that follow any instruction",
}
"""What `models` may say, and whom it means."""
TEXT = "text"
GIVES: Mapping[str, str] = {"": "an edit", TEXT: "a text, from what it is shown"}
"""What `gives` may say, and what comes of the recipe."""
LAWS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "rename": ("old", "new"),
    "fstring": (),
    "enumerate": (),
    "idioms": (),
    "remove-prints": (),
    "add-default": ("parameter", "value"),
    "remove-default": ("parameter",),
}
"""What `law` may say, with the variables that a recipe under it has."""
_KEYS = {"name", "summary", "needs", "models", "gives", "phrasings", "holds", "changes", "law", "variables"}
_WORD = r"[`'\"]?[\w.]+[`'\"]?"
_BEFORE = r"(?:(?:please|kindly|pls|can you|could you|would you|let's)\s+)?"
_KIND = (
    r"(?:(?:the|an?|all|every|each|uses? of|occurrences? of|references? to|names?|identifiers?|variables?|local|"
    r"parameters?|arguments?|attributes?|fields?|propert(?:y|ies)|functions?|methods?|class|constant)\s+)*?"
)
_AFTER = (
    r"(?:,?\s+(?:everywhere|throughout|consistently|please|(?:in|across|throughout)(?: the| this| these| all)*"
    r"(?: whole| entire)?(?: code| codebase| files?| functions?| methods?| class(?:es)?| modules?| package| project)))*"
)
"""What may stand about a phrasing and before its values and say nothing else."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class RecipeError(Exception):
    """A recipe is unknown or broken, or its variables do not fit; the text names the value and the cure."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One named instruction."""

    name: str
    summary: str
    phrasings: tuple[str, ...]
    """Ways to say it; the first is the one that is rendered."""
    holds: tuple[str, ...]
    """What a region holds one of, or the recipe has nothing to do there; none where that cannot be told."""
    changes: tuple[str, ...] | None
    """Names that its edit may use more or less often, every other as often as before, and literal texts say
    the same; None where that is not told."""
    law: str
    """A key of `LAWS`: an edit that does not keep it is not offered."""
    variables: Mapping[str, str]
    """Each variable with what it means. All are required."""
    needs: str
    """A key of `LANGUAGES`."""
    models: str
    """A key of `MODELS`."""
    gives: str
    """A key of `GIVES`."""
    description: str
    path: Path
    """The file that it stands in."""

    def render(self, values: Mapping[str, str]) -> str:
        """The instruction with every variable replaced.

        Raises:
            RecipeError: a variable is missing, or there is none of that name.
        """
        for name in values:
            if name not in self.variables:
                known = ", ".join(self.variables) or "it has none"
                raise RecipeError(f"recipe {self.name!r} has no variable {name!r}; known: {known}")
        missing = [name for name in self.variables if not values.get(name)]
        if missing:
            hint = " ".join(f"{name}=..." for name in missing)
            raise RecipeError(f"recipe {self.name!r} misses the variable {missing[0]!r}; add {hint}")
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.phrasings[0])

    def values_of(self, instruction: str, *, rendered: bool = False) -> dict[str, str] | None:
        """The variables of an instruction that is one of the phrasings; None if it is none.

        Case, quotes about a value and what does not change the sense ("the variable", "please", "everywhere") do not
        matter. A value that a region has to hold is one word.

        Args:
            rendered: whether only the first phrasing counts, which is what `render` says.
        """
        asked = {name for text in self.holds for name in _PLACEHOLDER.findall(text)}
        for phrasing in self.phrasings[:1] if rendered else self.phrasings:
            pattern = _BEFORE
            for i, part in enumerate(_PLACEHOLDER.split(phrasing)):
                value = f"{_KIND}(?P<{part}>{_WORD if part in asked else '.+?'})"
                pattern += value if i % 2 else re.escape(part)
            if match := re.fullmatch(pattern + _AFTER, instruction.strip().rstrip(".?!"), re.IGNORECASE):
                return {name: value.strip("`'\"") for name, value in match.groupdict().items()}
        return None

    def concerns(self, text: str, values: Mapping[str, str]) -> bool:
        """Whether there may be something to do in a text: it holds one of `holds`, as a word if that is one."""
        wanted = _filled(self.holds, values)
        return not wanted or any(re.search(_as_word(one), text) for one in wanted)

    def changeable(self, values: Mapping[str, str]) -> tuple[str, ...] | None:
        """`changes` with these values."""
        return None if self.changes is None else _filled(self.changes, values)

    def accepts(self, path: str) -> bool:
        """Whether a file of this name is in the language that the recipe needs."""
        suffixes = LANGUAGES[self.needs]
        return not suffixes or path.endswith(suffixes)


def _filled(texts: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.sub(lambda match: values[match[1]], text) for text in texts)


def _as_word(text: str) -> str:
    """A pattern of a text that is no part of a longer word."""
    start = r"\b" if re.match(r"\w", text) else ""
    end = r"\b" if re.search(r"\w$", text) else ""
    return f"{start}{re.escape(text)}{end}"


def load_recipes(folders: Iterable[Path] = ()) -> dict[str, Recipe]:
    """Every recipe by name: those that come with Seed, then those in `folders`, which win.

    Raises:
        RecipeError: a file is not a recipe.
    """
    return {recipe.name: recipe for recipe in (*_bundled(), *(r for f in folders for r in _in_folder(f)))}


@functools.cache
def _bundled() -> tuple[Recipe, ...]:
    """Read once: a batch asks for each of its jobs."""
    return _in_folder(BUNDLED)


def _in_folder(folder: Path) -> tuple[Recipe, ...]:
    return tuple(load_recipe(path) for path in sorted(folder.glob("*.md")))


def find_recipe(recipes: Mapping[str, Recipe], name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RecipeError: there is none; names those that come near.
    """
    if name not in recipes:
        near = difflib.get_close_matches(name, recipes, 3)
        cure = f"did you mean {', '.join(near)}?" if near else "see `seed prompts list`"
        raise RecipeError(f"no recipe {name!r}; {cure}")
    return recipes[name]


def load_recipe(path: Path) -> Recipe:
    """The recipe in one file.

    Raises:
        RecipeError: it cannot be read or is not a recipe; names the file and the line or key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}") from error
    fields, description = _front_matter(path, text)
    recipe = Recipe(
        name=_text(path, fields, "name"),
        summary=_text(path, fields, "summary"),
        phrasings=_list(path, fields, "phrasings"),
        holds=_list(path, fields, "holds") if "holds" in fields else (),
        changes=_list(path, fields, "changes") if "changes" in fields else None,
        law=_text(path, fields, "law", default=""),
        variables=_table(path, fields, "variables"),
        needs=_text(path, fields, "needs", default=""),
        models=_text(path, fields, "models", default=""),
        gives=_text(path, fields, "gives", default=""),
        description=description,
        path=path,
    )
    _check(path, recipe)
    return recipe


Field = str | list[str] | dict[str, str]


def _front_matter(path: Path, text: str) -> tuple[dict[str, Field], str]:
    """The fields between the two `---` lines, and the text below.

    The grammar is the small part of YAML that recipes need: `key: text`, and `key:` followed by indented
    `- text` or `key: text` lines. Values are taken as they stand; quotes mean nothing.
    """
    head, mark, description = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not mark:
        raise RecipeError(f"{path} has no front matter: it must begin with a block between two lines `---`")
    fields: dict[str, Field] = {}
    key = ""
    for number, line in enumerate(head.splitlines(), 2):
        if not line.strip():
            continue
        if line.startswith((" ", "- ")) and key:
            _add_item(path, number, fields, key, line.strip())
            continue
        key, colon, value = line.partition(":")
        if not colon or key in fields or key not in _KEYS:
            known = ", ".join(sorted(_KEYS))
            raise RecipeError(
                f"{path}, line {number}: {line.strip()!r} must be `key: value`, each once; keys: {known}"
            )
        fields[key] = value.strip()
    return fields, description.strip()


def _add_item(path: Path, number: int, fields: dict[str, Field], key: str, item: str) -> None:
    held = fields[key] or ([] if item.startswith("- ") else {})
    name, colon, meaning = item.partition(":")
    if isinstance(held, list) and item.startswith("- "):
        held.append(item.removeprefix("- ").strip())
    elif isinstance(held, dict) and colon:
        held[name.strip()] = meaning.strip()
    else:
        raise RecipeError(f"{path}, line {number}: {item!r} does not belong under {key!r}")
    fields[key] = held


def _text(path: Path, fields: Mapping[str, Field], key: str, *, default: str | None = None) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str) or (not value and default is None):
        raise RecipeError(f"{path}: {key!r} must be given as one line of text")
    return value


def _list(path: Path, fields: Mapping[str, Field], key: str) -> tuple[str, ...]:
    value = fields.get(key)
    if not isinstance(value, list):
        raise RecipeError(f"{path}: {key!r} must be a list of `- text` lines")
    return tuple(value)


def _table(path: Path, fields: Mapping[str, Field], key: str) -> dict[str, str]:
    value = fields.get(key) or {}
    if not isinstance(value, dict):
        raise RecipeError(f"{path}: {key!r} must be `name: meaning` lines")
    return value


def _check(path: Path, recipe: Recipe) -> None:
    given = {
        "needs": (recipe.needs, LANGUAGES),
        "models": (recipe.models, MODELS),
        "gives": (recipe.gives, GIVES),
        "law": (recipe.law, LAWS),
    }
    for key, (value, known) in given.items():
        if value not in known:
            raise RecipeError(f"{path}: {key!r} may be {', '.join(filter(None, known))}, not {value!r}")
    if missing := [name for name in LAWS[recipe.law] if name not in recipe.variables]:
        raise RecipeError(f"{path}: the law {recipe.law!r} is about a variable {missing[0]!r}; add it")
    for text in (*recipe.holds, *(recipe.changes or ())):
        if unknown := sorted(set(_PLACEHOLDER.findall(text)) - set(recipe.variables)):
            raise RecipeError(
                f"{path}: {text!r} may use its variables and no other; look at {', '.join(unknown)}"
            )
    for phrasing in recipe.phrasings:
        used = set(_PLACEHOLDER.findall(phrasing))
        if used != set(recipe.variables):
            odd = ", ".join(sorted(used ^ set(recipe.variables)))
            raise RecipeError(
                f"{path}: {phrasing!r} must use each of its variables and no other; look at {odd}"
            )
