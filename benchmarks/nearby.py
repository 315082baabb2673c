"""Do later rounds of an edit that read only what changed and its neighbours end as full rounds do?

Within a block every token sees every other, so to keep the keys and values of tokens far from a change is an
approximation (`engine/sampling/nearby.py`). Held-out functions, with an injected defect, sound, or to be refactored,
are edited by a model with every round over the whole region, and then with later rounds over tokens at most NEAR from
a change. Reported for each: exact answers by kind, ends that are the same, processor seconds.

    python benchmarks/nearby.py --held-out corpus/held_out.jsonl [--skip 0] [--count 300] [--near 32,16,8]
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.data.corpus import read_rows
from engine.data.pairs import identifiers
from engine.editor import Editor
from engine.evaluation.recipes import recipe_cases
from engine.evaluation.repair import repair_cases
from engine.evaluation.suites import answer, first_text
from engine.requests import EditOptions, EditRequest

ASKED = "fix the bug"
SEED = 11


def asked(held_out: Path, skip: int, count: int) -> list[tuple[str, EditRequest, str]]:
    """Kind, request and right answer."""
    rows = read_rows(held_out)
    texts = [row.text for row in rows][skip:]
    found = []
    for repair in repair_cases(texts, count, SEED):
        kind = "untouched" if repair.kind == "untouched" else "syntax" if repair.syntax else "other"
        found.append((kind, EditRequest(ASKED, repair.before, must_parse=True), repair.after))
    for recipe in recipe_cases(texts, max(1, count // 5), SEED, identifiers(rows, 4000)):
        request = EditRequest(recipe.instruction, recipe.before, must_parse=True)
        found.append((recipe.recipe, request, recipe.after))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--held-out", type=Path, default=Path("corpus/held_out.jsonl"))
    parser.add_argument("--skip", type=int, default=0, help="functions left out, to tune on others")
    parser.add_argument(
        "--count", type=int, default=300, help="defects, as many sound ones; a fifth a recipe"
    )
    parser.add_argument("--near", default="32,16,8", help="distances, with commas")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    cases = asked(given.held_out, given.skip, given.count)
    editor = Editor.load(given.model)
    full: list[str] = []
    found: dict[str, Any] = {"command": "python " + " ".join(sys.argv), "rows": len(cases)}
    for near in (None, *map(int, given.near.split(","))):
        start = time.process_time()
        answers = answer(editor, [request for _, request, _ in cases], EditOptions(near=near), str)
        seconds = time.process_time() - start
        texts = [first_text(request, p) for (_, request, _), p in zip(cases, answers.proposals, strict=True)]
        full = full or texts
        asked_for = Counter(kind for kind, _, _ in cases)
        exact = Counter(kind for (kind, _, after), text in zip(cases, texts, strict=True) if text == after)
        found["all" if near is None else str(near)] = {
            "exact": {kind: f"{exact[kind]} of {count}" for kind, count in asked_for.items()},
            "all_exact": exact.total(),
            "same_end": sum(a == b for a, b in zip(full, texts, strict=True)),
            "processor_seconds": round(seconds, 1),
        }
        print(json.dumps(found), flush=True)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
