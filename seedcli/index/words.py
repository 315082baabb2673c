"""Texts as words to search by: names whole and in their parts. Knows nothing of files or of ranking."""

import functools
import re
from collections.abc import Iterator

_NAME = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_QUOTED = re.compile(r"[`'\"]([^\W\d][\w.]*)(?:\(\))?[`'\"]")
_COMMON = (
    "a an and are as at be been but by can do does for from get has have if in into is it its make more no not of on "
    "one only or our should so some than that the their them then there these they this to too up us use used uses "
    "using was we were when where which while will with without you your"
)


@functools.lru_cache(maxsize=1 << 17)
def parts(name: str) -> str:
    """A name's lower-case form, and its parts where it has several, with spaces between."""
    found = [part.lower() for part in _PART.findall(name)]
    whole = name.strip("_").lower()
    return " ".join([*found, whole.replace("_", "")] if len(found) > 1 else found or [whole])


def searchable(text: str) -> str:
    """All words of a text, with the parts of its names."""
    return " ".join(map(parts, _NAME.findall(text)))


def query_terms(instruction: str) -> list[str]:
    """The words of an instruction that say something, each once."""
    words = (word for name in _NAME.findall(instruction) for word in parts(name).split())
    common = frozenset(_COMMON.split())
    return [word for word in dict.fromkeys(words) if word not in common]


def names_in(instruction: str) -> list[str]:
    """What an instruction says that can only be a name in code: quoted, dotted, called, or spelled like one."""
    quoted = _QUOTED.findall(instruction)
    return list(dict.fromkeys([*quoted, *(name for name in _spelled(instruction))]))


def _spelled(instruction: str) -> Iterator[str]:
    for match in _DOTTED.finditer(instruction):
        name = match[0]
        is_called = instruction[match.end() : match.end() + 1] == "("
        if is_called or "_" in name or "." in name or (name[1:] != name[1:].lower() and not name.isupper()):
            yield name
