"""Which function of a file does an instruction mean? Seed's choice against BM25 alone, on real commits.

    python benchmarks/region_choice.py mine GIT_DIR... --each 60 --out mined.jsonl     commits of other repositories
    python benchmarks/region_choice.py fit mined.jsonl                                 the weights, found there alone
    python benchmarks/region_choice.py score rows.jsonl [--out RESULT.json]            top 1, 3, 5 with intervals

A row has `instruction`, `before` (a function as it was), `file` and `file_before` (its path and text). Regions are
those of `seed edit FILE`; the right one is where `before` stands. BM25 alone ranks them by the words of their text.
Intervals of shares are Wilson's, that of the difference is a paired bootstrap over rows.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.evaluation.scores import share
from seedcli.finding.picking import changes, ranked, value
from seedcli.index.search import Evidence, evidence
from seedcli.index.store import Store
from seedcli.index.words import query_terms
from seedcli.model_client import ModelClient, open_model
from seedcli.repository.workspace import Workspace

TOPS = (1, 3, 5)
DRAWS = 10_000


@dataclass(frozen=True)
class Row:
    """One commit: what was asked for, and where it was done."""

    instruction: str
    before: str
    file: str
    file_before: str


@dataclass(frozen=True)
class Case:
    """One row with what speaks for each region of its file."""

    evidence: list[Evidence]
    bm25: list[float]
    final: list[float]
    """What speaks for each with the model's reading; the same as without where there is no model."""
    right: int


def main() -> None:
    arguments = _arguments()
    if arguments.command == "mine":
        mined = [row for git_dir in arguments.repositories for row in mine(git_dir, arguments.each)]
        arguments.out.write_text("".join(json.dumps(row.__dict__) + "\n" for row in mined))
        print(f"{len(mined)} rows")
        return
    model = None if arguments.command == "fit" else open_model(arguments.model)
    cases = [case for row in read_rows(arguments.rows) if (case := case_of(row, model)) is not None]
    if arguments.command == "fit":
        print(json.dumps(fit(cases)))
    result = scored(cases) | {"model": model.info.revision if model else None}
    print(json.dumps(result, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


def mine(git_dir: Path, limit: int) -> Iterator[Row]:
    """Rows from a repository's history."""
    from engine.data.history import pairs

    for pair in pairs(git_dir, limit):
        command = ["git", "-C", str(git_dir), "show", f"{pair.commit}^:{pair.path}"]
        shown = subprocess.run(command, capture_output=True, check=False)
        text = shown.stdout.decode("utf-8", "replace")
        if shown.returncode == 0 and text.count(pair.before) == 1:
            yield Row(pair.instruction, pair.before, pair.path, text)


def read_rows(path: Path) -> Iterator[Row]:
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row.get("file_before"):
            yield Row(*(row[name] for name in ("instruction", "before", "file", "file_before")))


def case_of(row: Row, model: ModelClient | None) -> Case | None:
    """What Seed knows of the regions of a row's file; None where there is no choice."""
    place = row.file_before.find(row.before)
    line = row.file_before.count("\n", 0, place)
    store = Store(Workspace(Path("/"), is_git=False), None)
    store.add(row.file, row.file_before)
    units = store.units(row.file)
    inside = [i for i, unit in enumerate(units) if unit.start <= line < unit.end]
    if place < 0 or len(inside) != 1 or len(units) < 2:
        return None
    lines = row.file_before.split("\n")
    texts = ["".join(line + "\n" for line in lines[unit.start : unit.end]) for unit in units]
    known = evidence(store, row.instruction, units, len(units))
    alone = dict(store.search(query_terms(row.instruction), (1.0, 0.0, 1.0), len(units)))
    store.close()
    final = [value(one) for one in known]
    if model is not None:
        read = partial(_read, model, row.instruction, texts)
        final = [score for _, score in sorted(ranked(final, read))]
    return Case(known, [alone.get(unit, 0.0) for unit in units], final, inside[0])


def _read(model: ModelClient, instruction: str, texts: list[str], numbers: list[int]) -> list[float]:
    return changes(model, instruction, [texts[i] for i in numbers])


def fit(cases: Sequence[Case]) -> dict[str, float]:
    """Weights under which the right regions are the most probable (multinomial logistic regression, little ridge)."""
    tables = [np.array([astuple(one) for one in case.evidence]) for case in cases]
    weights = np.zeros(tables[0].shape[1])
    for _ in range(1000):
        slope = -0.003 * weights
        for table, case in zip(tables, cases, strict=True):
            values = table @ weights
            likely = np.exp(values - values.max())
            slope += (table[case.right] - likely @ table / likely.sum()) / len(cases)
        weights += 0.3 * slope
    return {field.name: round(float(w), 2) for field, w in zip(fields(Evidence), weights, strict=True)}


def scored(cases: Sequence[Case]) -> dict[str, object]:
    """Shares of right regions among the first, with intervals, and what Seed gains over BM25 alone."""
    functions = [_functions_only(case) for case in cases]
    ranks = {
        "bm25": np.array([_rank(case.bm25, case.right) for case in cases]),
        "bm25 of functions only": np.array(
            [_rank(b, c.right) for b, c in zip(functions, cases, strict=True)]
        ),
        "seed": np.array([_rank(case.final, case.right) for case in cases]),
        "seed without the model": np.array(
            [_rank([value(one) for one in case.evidence], case.right) for case in cases]
        ),
    }
    result: dict[str, object] = {"rows": len(cases), "regions": float(np.mean([len(c.bm25) for c in cases]))}
    for name, found in ranks.items():
        result[name] = {f"top {k}": share((found < k).tolist()).as_json() for k in TOPS}
    for other in ("bm25", "bm25 of functions only"):
        gains = {f"top {k}": _gain(ranks["seed"] < k, ranks[other] < k) for k in TOPS}
        result[f"seed over {other}"] = gains
    return result


def _functions_only(case: Case) -> list[float]:
    """BM25 that knows that it is a function that changed."""
    return [b if one.is_definition else -1.0 for b, one in zip(case.bm25, case.evidence, strict=True)]


def _rank(scores: Sequence[float], right: int) -> int:
    """Regions before the right one; those of equal score count half, rounded up."""
    better = sum(s > scores[right] for s in scores)
    equal = sum(s == scores[right] for s in scores) - 1
    return better + (equal + 1) // 2


def _gain(
    ours: "np.ndarray[tuple[int], np.dtype[np.bool_]]", theirs: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> dict[str, object]:
    difference = ours.astype(float) - theirs.astype(float)
    rng = np.random.default_rng(0)
    means = difference[rng.integers(0, len(difference), (DRAWS, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {
        "difference": round(float(difference.mean()), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    mining = commands.add_parser("mine")
    mining.add_argument("repositories", nargs="+", type=Path)
    mining.add_argument("--each", type=int, default=60)
    mining.add_argument("--out", type=Path, required=True)
    for name in ("fit", "score"):
        command = commands.add_parser(name)
        command.add_argument("rows", type=Path)
        command.add_argument("--model")
        command.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
