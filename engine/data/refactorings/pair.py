"""One training or evaluation pair: an instruction's recipe and variables, the code before it and after it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """What a recipe makes of a region. `after` is the one right answer for `before`."""

    recipe: str
    variables: dict[str, str]
    """What the instruction says beside the recipe, for `phrasings.phrase`."""
    before: str
    after: str
