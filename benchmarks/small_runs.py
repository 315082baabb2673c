"""Small models trained for comparison: runs of one size, data and compute that differ in their stages, and how they are
measured. What `ablations.py` and `twin.py` share; knows nothing of which rows they compare.

A run is trained by `seed train run` in a process of its own, from a TOML file that lies beside it, so that any row can
be made again by hand. Everything goes on where it was interrupted.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

MODEL = {"width": 160, "layers": 4, "heads": 4, "kv_heads": 2, "hidden": 448, "max_tokens": 1024}
SIZE = "2.5 million parameters (width 160, 4 layers, vocabulary 8,192)"
TOKENS = 8192
"""Of a step."""
RUN = {"tokens": TOKENS, "scored": 3072, "matrix_rate": 0.006, "other_rate": 0.003, "save_every": 100}
ASKED = "fix the bug"


@dataclass(frozen=True, slots=True)
class Part:
    """One run of `seed train run`."""

    name: str
    """Of its folder; parts of one name and seed are one run, whoever asks for it."""
    run: Mapping[str, Any]
    stages: Sequence[Mapping[str, Any]]
    trajectories: Mapping[str, Any] | None = None
    model: Mapping[str, Any] | None = None
    """What differs from `MODEL`."""

    @property
    def steps(self) -> int:
        return sum(stage["steps"] for stage in self.stages)

    def toml(self, seed: int) -> str:
        tables = [
            ("[model]", MODEL | dict(self.model or {})),
            ("[run]", RUN | {"seed": seed} | dict(self.run)),
        ]
        tables += [("[trajectories]", self.trajectories)] if self.trajectories else []
        tables += [("[[stage]]", stage) for stage in self.stages]
        return "\n".join(
            "\n".join([head, *(f"{key} = {_value(value)}" for key, value in table.items()), ""])
            for head, table in tables
        )


def _value(value: object) -> str:
    """As TOML writes it."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


class Deadline(Exception):
    """The stated time is over; what is finished is kept."""


@contextmanager
def sitting() -> Iterator[None]:
    """End the command with 3 where the stated time is over."""
    try:
        yield
    except Deadline:
        print("time is over; the same command goes on", file=sys.stderr)
        sys.exit(3)


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where runs lie, what they read and how long there is."""

    folder: Path
    corpus: Path
    seed: int
    compiled: bool
    until: float
    """On the clock of `time.monotonic`."""

    def train(self, part: Part, start_from: Path | None, *, until: int | None = None) -> Path:
        """The checkpoint of a part, trained up to step `until` or its end.

        Raises:
            Deadline: time was over before; the run is saved.
        """
        base = self.folder / f"{part.name}-{self.seed}"
        steps = part.steps if until is None else until
        model = base / f"model-{steps}"
        if (model / "README.md").exists():
            return model
        base.mkdir(parents=True, exist_ok=True)
        config = base / "config.toml"
        _unchanged(config, part.toml(self.seed))
        command = ["run", base / "run", "--config", config, "--corpus", self.corpus, "--until", steps]
        command += ["--start-from", start_from] if start_from else []
        start = time.monotonic()
        try:
            self._seed([*command, "--compile" if self.compiled else "--no-compile"])
        finally:
            _add_seconds(base / "seconds.json", steps, time.monotonic() - start)
        self._seed(["export", base / "run", model, "--corpus", self.corpus])
        return model

    def seconds(self, part: Part, *, until: int | None = None) -> float:
        """What a part took to train up to a step or its end on this machine, starting and compiling among it."""
        table = json.loads((self.folder / f"{part.name}-{self.seed}/seconds.json").read_text())
        return sum(seconds for step, seconds in table.items() if until is None or int(step) <= until)

    def _seed(self, arguments: Sequence[object]) -> None:
        command = [sys.executable, "-m", "seedcli", "train", *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
        )
        try:
            code = process.wait(max(1.0, self.until - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            process.terminate()  # it ends its step and saves
            process.wait()
            raise Deadline from error
        except KeyboardInterrupt:
            process.wait()
            raise
        except SystemExit:  # terminated: the run is not left to itself
            process.terminate()
            process.wait()
            raise
        if code:
            raise SystemExit(f"{' '.join(command)} ended with {code}")


def _unchanged(config: Path, text: str) -> None:
    """Write a run's file; a run of another one must not go on under its name."""
    if config.exists() and config.read_text() != text:
        raise SystemExit(
            f"{config} is of a run with other settings; give another --work, or remove {config.parent}"
        )
    config.write_text(text)


def _add_seconds(path: Path, step: int, seconds: float) -> None:
    """To what was spent on the way to a step, maybe in several sittings."""
    table = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(table | {str(step): round(table.get(str(step), 0.0) + seconds, 1)}))


@dataclass(frozen=True, slots=True)
class Cases:
    """What every model is asked; the same for all."""

    repairs: list[Any]
    recipes: list[Any]
    gaps: list[tuple[str, str, str]]
    """Texts before a gap, in it and after it."""
    digest: str

    @classmethod
    def draw(cls, held_out: Path, count: int) -> "Cases":
        """From functions that nothing is trained on: `count` defects, as many sound ones, recipes and gaps."""
        from engine.data.corpus import read_rows
        from engine.data.cuts import missing
        from engine.data.pairs import identifiers
        from engine.data.refactorings import RECIPES
        from engine.evaluation.recipes import recipe_cases
        from engine.evaluation.repair import repair_cases

        rows = read_rows(held_out)
        texts = [row.text for row in rows]
        third = len(texts) // 3
        repairs = repair_cases(texts[:third], count, 20261121)
        each = max(1, count // (len(RECIPES) - 1))
        recipes = recipe_cases(texts[third : 2 * third], each, 20261121, identifiers(rows, 4000))
        rng = random.Random(20261121)
        gaps = []
        for text in texts[2 * third :][:count]:
            start, end = missing(text, rng)
            gaps.append((text[:start], text[start:end], text[end:]))
        said = json.dumps([[c.before for c in repairs], [c.before for c in recipes], gaps])
        return cls(repairs, recipes, gaps, hashlib.sha256(said.encode()).hexdigest()[:12])


def measure(model: Path, cases: Cases, threshold: float, asked: str = ASKED) -> dict[str, float]:
    """All figures of one checkpoint; shares are in [0, 1].

    Args:
        asked: what repairs are asked for with; empty for models that never read an instruction.
    """
    import torch

    from engine.editor import Editor
    from engine.evaluation.calibration import expected_error, reliability
    from engine.evaluation.suites import answer, first_text
    from engine.requests import CompletionOptions, CompletionRequest, EditOptions, EditRequest

    editor = Editor.load(model, device="cpu")
    # Which instructions a model takes up is not compared here, and not every row teaches it.
    torch.nn.init.zeros_(editor.network.scope.weight)
    torch.nn.init.constant_(editor.network.scope.bias, 20.0)
    questions = [EditRequest(asked, c.before, must_parse=True) for c in cases.repairs]
    questions += [EditRequest(c.instruction, c.before, must_parse=True) for c in cases.recipes]
    wanted = [c.after for c in (*cases.repairs, *cases.recipes)]
    answers = answer(editor, questions, EditOptions(threshold=threshold), str)
    texts = [first_text(q, p) for q, p in zip(questions, answers.proposals, strict=True)]
    right = [text == target for text, target in zip(texts, wanted, strict=True)]
    kinds = [_kind(c) for c in cases.repairs] + ["recipes"] * len(cases.recipes)
    found = {
        kind: fmean(ok for ok, k in zip(right, kinds, strict=True) if k == kind)
        for kind in dict.fromkeys(kinds)
    }
    offered = [(p, target) for p, target in zip(answers.proposals, wanted, strict=True) if p.candidates]
    bins = reliability(
        [p.candidates[0].score for p, _ in offered], [p.candidates[0].text == t for p, t in offered]
    )
    filled = [
        done
        for at in range(0, len(cases.gaps), 16)
        for done in editor.complete(
            [CompletionRequest(before, after) for before, _, after in cases.gaps[at : at + 16]],
            CompletionOptions(max_tokens=128),
        )
    ]
    samples = [one.samples[0] for one in filled]
    return {
        "syntax": found["syntax"],
        "other": found["other"],
        "recipes": found["recipes"],
        "infilling": fmean(s.text == middle for s, (_, middle, _) in zip(samples, cases.gaps, strict=True)),
        "false_positives": 1 - found["untouched"],
        "calibration_error": expected_error(bins) if bins else float("nan"),
        "rounds": fmean(p.candidates[0].rounds for p, _ in offered) if offered else 0.0,
        "tokens_per_forward": sum(s.tokens for s in samples) / max(1, sum(s.forwards for s in samples)),
        "forwards_per_edit": fmean(p.forwards for p in answers.proposals),
        "seconds_per_edit": answers.seconds / len(questions),
    }


def _kind(case: Any) -> str:
    return "untouched" if case.kind == "untouched" else "syntax" if case.syntax else "other"


def options(description: str | None, steps: int) -> argparse.ArgumentParser:
    """What both commands are given."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="a folder that `seed train corpus` made")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the runs; the command goes on from it"
    )
    parser.add_argument(
        "--out", type=Path, help="the results, JSON; a table with the ending .md is written beside it"
    )
    parser.add_argument("--steps", type=int, default=steps, help="of the longest run, 8,192 tokens each")
    parser.add_argument(
        "--cases", type=int, default=300, help="repairs, as many sound functions, recipes, gaps"
    )
    parser.add_argument(
        "--threshold", type=float, default=0.7, help="least probability of a change for it to be made"
    )
    parser.add_argument(
        "--minutes", type=float, default=1e6, help="stop after these; the same command goes on"
    )
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser


class Results:
    """Finished measurements in a JSON file, by name; one of other settings is measured again."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self._path, self.header = path, dict(header)
        table = json.loads(path.read_text()) if path.exists() else {}
        if table and table["settings"] != self.header:
            raise SystemExit(
                f"{path} rests on other settings: {table['settings']}; give another --out or --work"
            )
        self.rows: dict[str, dict[str, Any]] = table.get("rows", {})

    def add(self, name: str, row: Mapping[str, Any]) -> None:
        from engine.files import write_json

        self.rows[name] = {key: round(v, 5) if isinstance(v, float) else v for key, v in row.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, {"settings": self.header, "rows": self.rows})
