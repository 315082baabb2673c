"""A check fails, and one of several functions is wrong: how many changes have to be tried until it is mended?

Held-out functions with an injected defect that parses stand among sound ones, as in a file of which all functions are
named. The model is asked as `seed edit -n N --check CMD --check-first` asks it, each function once; the changes come in
the order of `seedcli/choices.py`. One counts as right if it is the sound text of the wrong function, and leaves the
others as they are. Beside it: changes made of every function's first, second, ... candidate.

    python benchmarks/one_of_many.py --held-out corpus/held_out.jsonl [--skip 0] [--count 160] --out one-of-many.json
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.data.corpus import read_rows
from engine.editor import Editor
from engine.evaluation.repair import digest, repair_cases
from engine.evaluation.scores import share
from engine.evaluation.suites import answer
from engine.requests import EditOptions, EditRequest
from seedcli.choices import Choice, Picks, changes

ASKED = "fix the bug"
SEED = 12
SIZES = (1, 3, 6, 12)
"""Functions in a group."""
TRIES = (1, 4, 16)
OPTIONS = EditOptions(candidates=max(TRIES), judged=True, needed=True, new_names=True)


@dataclass(frozen=True, slots=True)
class Function:
    """One that the model was asked about."""

    is_wrong: bool
    choice: Choice
    right: tuple[bool, ...]
    """Of its candidates, which are the sound text."""


Order = Callable[[Sequence[Function]], Iterator[Picks]]


def one_by_one(group: Sequence[Function]) -> Iterator[Picks]:
    return changes([function.choice for function in group], alone=True)


def together(group: Sequence[Function]) -> Iterator[Picks]:
    for k in range(max(len(function.right) for function in group)):
        yield {i: min(k, len(f.right) - 1) for i, f in enumerate(group) if f.right}


def asked(held_out: Path, skip: int, count: int, model: Path | None) -> tuple[list[Function], str]:
    """The functions with the model's answers, and the SHA-256 of the cases."""
    cases = repair_cases([row.text for row in read_rows(held_out)][skip:], count, SEED)
    cases = [case for case in cases if not case.syntax]
    requests = [EditRequest(ASKED, case.before, must_parse=True) for case in cases]
    done = 0

    def tell(number: int) -> None:
        nonlocal done
        done += number
        print(f"\r{done} of {len(cases)} functions", end="", file=sys.stderr, flush=True)

    found = answer(Editor.load(model), requests, OPTIONS, tell).proposals
    functions = [
        Function(
            case.kind != "untouched",
            Choice([c.score for c in p.candidates], p.stands, p.change_probability),
            tuple(c.text == case.after for c in p.candidates),
        )
        for case, p in zip(cases, found, strict=True)
    ]
    return functions, digest(cases)


def mended(wrong: Function, group: Sequence[Function], order: Order) -> int:
    """At which change the wrong function of a group is mended; 0 for never, or not within the most tries."""
    place = group.index(wrong)
    tried = enumerate(islice(order(group), max(TRIES)), 1)
    return next(
        (n for n, picks in tried if set(picks) == {place} and wrong.right[picks[place]]),
        0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--held-out", type=Path, default=Path("corpus/held_out.jsonl"))
    parser.add_argument("--skip", type=int, default=0, help="functions left out, to tune on others")
    parser.add_argument("--count", type=int, default=160, help="defects drawn; those that parse are kept")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    functions, cases = asked(given.held_out, given.skip, given.count, given.model)
    wrong = [function for function in functions if function.is_wrong]
    sound = [function for function in functions if not function.is_wrong]
    found: dict[str, Any] = {
        "command": "python " + " ".join(sys.argv),
        "cases_sha256": cases,
        "sound": len(sound),
    }
    for size in SIZES:
        rng = random.Random(f"{SEED}:{size}")
        groups = [rng.sample([*rng.sample(sound, size - 1), one], size) for one in wrong]
        for name, order in (("one by one", one_by_one), ("together", together)):
            at = [mended(one, group, order) for one, group in zip(wrong, groups, strict=True)]
            found[f"{size} functions, {name}"] = {
                f"within {k}": share(0 < n <= k for n in at).as_json() for k in TRIES
            }
    print(json.dumps(found, indent=1))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
