"""How people word an instruction: templates for training, others held out, and instructions out of scope.

Knows nothing of code. Templates lie in `trained.toml` and `held_out.toml`, by recipe and, after a slash, sort; they
name variables in braces; `kind` is what a rename is about. Most of the trained ones were written by somebody who had
not seen the held-out ones; those that came out near one of these were dropped.
"""

import random
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Formatter

NEEDED: dict[str, tuple[str, ...]] = {
    "rename": ("old", "new"),
    "add-default": ("parameter", "value"),
    "remove-default": ("parameter",),
    "enumerate": ("item",),
}
"""Variables that an instruction has to tell when the pair has them."""

_QUOTES = (("", ""), ("", ""), ("`", "`"), ("`", "`"), ("'", "'"), ('"', '"'))


def _read(name: str) -> dict[str, tuple[str, ...]]:
    table = tomllib.loads((Path(__file__).parent / name).read_text())
    return {key: tuple(templates) for key, templates in table.items()}


TRAINED = _read("trained.toml")
HELD_OUT = _read("held_out.toml")
OUT_OF_SCOPE, OUT_OF_SCOPE_HELD_OUT = TRAINED.pop("out_of_scope"), HELD_OUT.pop("out_of_scope")
_FILLERS = (
    "in this function",
    "here",
    "for me",
    "in this code",
    "in the code below",
    "everywhere",
    "now",
    "thanks",
)


def canonical(recipe: str) -> str:
    """The plainest template of a recipe.

    Raises:
        KeyError: there is no such recipe.
    """
    return TRAINED[recipe][0]


def phrase(recipe: str, variables: Mapping[str, str], rng: random.Random, held_out: bool = False) -> str:
    """An instruction in the words of some user, with the variables filled in.

    Args:
        recipe: a key of `TRAINED` without the sort; a variable `sort` narrows `idioms` down.
        variables: as in the pair; what is in `NEEDED` and given here is told.
        held_out: words that training never sees.

    Raises:
        KeyError: there is no such recipe or sort.
        ValueError: no template fits the variables.
    """
    key = f"{recipe}/{variables['sort']}" if "sort" in variables else recipe
    fitting = _fitting(key, recipe, frozenset(variables), held_out)
    if not fitting:
        raise ValueError(
            f"no phrasing of {recipe} says {', '.join(variables) or 'nothing'}; check the variables"
        )
    return _surface(_filled(rng.choice(fitting), variables, rng), variables, rng)


def worn(text: str, variables: Mapping[str, str], rng: random.Random) -> str:
    """An instruction as it reaches a tool from hasty hands: words left out, letters swapped, phrases added.

    Words that hold a variable's value stay whole. Training uses it, so that no single word decides.
    """
    words = text.split(" ")
    values = [value.strip("'\"`") for name, value in variables.items() if name != "kind"]
    free = [i for i, word in enumerate(words) if not any(value in word for value in values)]
    if any(" " in value for value in values):
        return text
    if rng.random() < 0.12:
        words.append(rng.choice(_FILLERS))
    if len(free) > 2 and rng.random() < 0.25:
        for i in rng.sample(free, rng.randint(1, max(1, len(free) // 3))):
            words[i] = ""
    long = [i for i in free if len(words[i]) > 3 and words[i].isalpha()]
    if long and rng.random() < 0.08:
        i = rng.choice(long)
        at = rng.randrange(1, len(words[i]) - 1)
        words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
    return " ".join(word for word in words if word)


@cache
def _fitting(key: str, recipe: str, given: frozenset[str], held_out: bool) -> tuple[str, ...]:
    """The templates that name nothing but given variables, and all of these that have to be told."""
    needed = given & set(NEEDED.get(recipe, ()))
    templates = (HELD_OUT if held_out else TRAINED)[key]
    return tuple(template for template in templates if needed <= placeholders(template) <= given)


def placeholders(template: str) -> set[str]:
    """Names of the variables in a template."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def out_of_scope(rng: random.Random, held_out: bool = False) -> str:
    """An instruction that no recipe answers."""
    return _surface(rng.choice(OUT_OF_SCOPE_HELD_OUT if held_out else OUT_OF_SCOPE), {}, rng)


def _filled(template: str, variables: Mapping[str, str], rng: random.Random) -> str:
    """The template with its variables, all in the same quotes or none."""
    left, right = rng.choice(_QUOTES)
    if left and any(mark in value for value in variables.values() for mark in "'\"`"):
        left = right = "`"
    # A kind is a plain word of the sentence, never quoted.
    shown = {name: value if name == "kind" else left + value + right for name, value in variables.items()}
    return template.format_map(shown)


def _surface(text: str, variables: Mapping[str, str], rng: random.Random) -> str:
    """Capital, full stop and courtesy as it happens; words inside of the variables stay."""
    first = re.match(r"[^\s]+", text)
    starts_with_name = first is not None and any(
        value.strip("'\"`") in first[0] for name, value in variables.items() if name != "kind"
    )
    if not starts_with_name and rng.random() < 0.3:
        text = text[0].upper() + text[1:]
    if text[-1].isalpha() and rng.random() < 0.12:
        text += rng.choice((".", ".", "!", " please", ", please"))
    return text
