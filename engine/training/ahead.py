"""Batches made ahead of time: a folder that a run reads in the place of making its examples.

`ahead.json` tells all that the batches depend on, and the tokenizer lies beside it, so that a machine trains on them
without the corpus. Each file `*.safetensors` holds the batches of `FILE_TOKENS` tokens, one tensor of bytes for each,
named by its index (see `engine.data.parcels`), and is named by the first. It has its name once it is whole.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch.utils.data import DataLoader, Dataset

from engine.data.batches import Batch
from engine.data.examples import Noise
from engine.data.parcels import packed, unpacked
from engine.errors import DataError
from engine.files import replacing, write_json
from engine.training.curriculum import Curriculum
from engine.training.exclusive import exclusive
from engine.training.progress import Progress
from engine.training.stream import Maker, Stream

VERSION = 1
"""Raised whenever the same corpus and seed give other batches than before, or batches are kept otherwise."""
FILE_TOKENS = 1 << 17
"""Of one file, about: what is lost when the making of one is interrupted, and what a file costs to open, stay small."""
ABOUT = "ahead.json"
TOKENIZER = "tokenizer.json"
READ = (TOKENIZER, "regions.offsets.npy", "regions.tokens.npy", "refactored.jsonl", "committed.jsonl")
"""Files of a corpus that examples are made from."""


def settings(curriculum: Curriculum, processes: int) -> dict[str, Any]:
    """What batches depend on beside the corpus, each by a name for messages.

    Args:
        processes: that train together.

    Raises:
        DataError: the run samples its own examples.
    """
    c = curriculum
    if c.trajectories is not None:
        raise DataError("a run in laps makes examples of what it samples; none can be made ahead")
    found: dict[str, Any] = {
        "version": VERSION,
        "decoder": c.decoder,
        "seed": c.seed,
        "tokens": c.tokens,
        "scored": c.scored,
        "batches a step": c.accumulate * processes,
        "stages": len(c.stages),
    }
    for number, stage in enumerate(c.stages, 1):
        noise = asdict(stage.noise)
        found[f"stage {number}: steps"] = stage.steps
        # In this order the kinds are drawn.
        found[f"stage {number}: kinds"] = list(stage.mixture)
        found |= {f"stage {number}: share of {kind}": share for kind, share in stage.mixture.items()}
        found |= {f"stage {number}: noise {name}": value for name, value in noise.items()}
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def fingerprints(corpus: Path) -> dict[str, str]:
    """SHA-256 of each file that examples are made from."""
    found = {}
    for path in (corpus / name for name in READ):
        if path.exists():
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


class Ahead:
    """The batches of a folder; where it has none, those of a maker, if there is one."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            DataError: the folder holds no batches, or a file that is not of these.
        """
        self.folder = folder
        self._maker: Maker | None = None
        try:
            about = json.loads((folder / ABOUT).read_text())
            self.settings: dict[str, Any] = about["settings"]
            self.corpus: dict[str, str] = about["corpus"]
            self._each_file = max(1, FILE_TOKENS // self.settings["tokens"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise DataError(
                f"{folder} holds no batches made ahead; make some with `seed train ahead`: {error}"
            ) from error
        self._digest = hashlib.sha256(json.dumps([self.settings, self.corpus]).encode()).hexdigest()
        for path in sorted(folder.glob("*.safetensors")):
            self._check_file(path)

    def then(self, maker: Maker | None) -> "Ahead":
        """Go on with what this maker makes, or with nothing."""
        self._maker = maker
        return self

    def check(self, own: Mapping[str, Any], corpus: Mapping[str, str] | None) -> None:
        """Refuse to stand for the batches of another run.

        Args:
            own: the run's settings.
            corpus: its fingerprints; None if it is not here.

        Raises:
            DataError: the batches are not those that the run would make; the text says in what they differ.
        """
        odd = [
            f"{name} {_shown(self.settings.get(name))}, not {_shown(own.get(name))}"
            for name in {**self.settings, **own}
            if self.settings.get(name) != own.get(name)
        ]
        if corpus is not None:
            names = {**self.corpus, **corpus}
            odd += [f"another {name}" for name in names if self.corpus.get(name) != corpus.get(name)]
        if odd:
            raise DataError(
                f"the batches in {self.folder} were made with {'; '.join(odd)}; make them again in another folder, or "
                "remove this one"
            )

    def lacking(self, indices: range) -> int | None:
        """The first of these batches that is not here."""
        here = {int(path.stem) for path in self.folder.glob("*.safetensors")}
        return next((index for index in indices if index - index % self._each_file not in here), None)

    def batch(self, index: int, mixture: Mapping[str, float], noise: Noise) -> Batch:
        """The batch with this index, read or made.

        Raises:
            DataError: its file is damaged, or it is neither here nor can it be made.
        """
        path = self._path(index)
        if path.exists():
            try:
                with safe_open(path, framework="numpy") as file:
                    return unpacked(file.get_tensor(str(index)).tobytes())
            except (OSError, SafetensorError, ValueError) as error:
                raise DataError(f"{path} is damaged; remove it, and make it again: {error}") from error
        if self._maker is None:
            raise DataError(f"batch {index} is not in {self.folder}, and there is no corpus to make it from")
        return self._maker.batch(index, mixture, noise)

    def missing(self, indices: range, end: int) -> list[range]:
        """What the files that are not here and have some of these batches are to hold.

        Args:
            end: number of batches of the whole run.
        """
        count = self._each_file
        firsts = range(indices.start - indices.start % count, indices.stop, count) if indices else ()
        return [range(i, min(i + count, end)) for i in firsts if not self._path(i).exists()]

    def write(self, parcels: Mapping[int, bytes]) -> None:
        """Write the file that holds these batches, by index."""
        tensors = {str(index): np.frombuffer(parcel, np.uint8) for index, parcel in parcels.items()}
        with replacing(self._path(min(parcels))) as partial:
            save_file(tensors, partial, metadata={"of": self._digest})

    def _path(self, index: int) -> Path:
        return self.folder / f"{index - index % self._each_file:09}.safetensors"

    def _check_file(self, path: Path) -> None:
        try:
            with safe_open(path, framework="numpy") as file:
                found = (file.metadata() or {}).get("of")
        except (OSError, SafetensorError) as error:
            raise DataError(f"{path} is damaged; remove it, and make it again: {error}") from error
        if found != self._digest:
            raise DataError(f"{path} holds other batches than {ABOUT} beside it tells; remove it")


def make(
    folder: Path,
    corpus: Path,
    maker: Maker,
    curriculum: Curriculum,
    processes: int,
    steps: range,
    *,
    workers: int,
    progress: Progress,
) -> None:
    """Write the batches of these steps; files that are there already stay.

    Args:
        processes: that will train together.
        workers: processes that make them; 0 for this one alone.

    Raises:
        DataError: the folder holds batches of another run, another process writes there, or this run's cannot be made
            ahead.
    """
    own, prints = settings(curriculum, processes), fingerprints(corpus)
    each = curriculum.accumulate * processes
    with exclusive(folder):
        if not (folder / ABOUT).exists():
            shutil.copyfile(corpus / TOKENIZER, folder / TOKENIZER)
            write_json(folder / ABOUT, {"settings": own, "corpus": prints})
        ahead = Ahead(folder)
        ahead.check(own, prints)
        asked = range(steps.start * each, steps.stop * each)
        files = ahead.missing(asked, curriculum.steps * each)
        indices = [index for file in files for index in file]
        progress.line(f"{len(asked):,} batches of {len(steps):,} steps; {len(indices):,} are to be made")
        progress.phase("making batches", len(indices), "batch")
        made = iter(
            DataLoader(
                _Parcels(Stream(maker, curriculum, each)),
                batch_size=None,
                sampler=indices,
                num_workers=workers,
                prefetch_factor=8 if workers else None,
            )
        )
        start, done, tokens = time.perf_counter(), 0, 0
        for file in files:
            parcels = {}
            for index in file:
                parcels[index], count = next(made)
                done, tokens = done + 1, tokens + count
                rate = round(tokens / (time.perf_counter() - start))
                progress.at(done, tokens_per_second=rate)
            ahead.write(parcels)


class _Parcels(Dataset[tuple[bytes, int]]):
    """The packed batches of a stream, each with its number of tokens."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __getitem__(self, index: int) -> tuple[bytes, int]:
        batch = self._stream[index]
        return packed(batch), batch.tokens


def _shown(value: object) -> str:
    return "given" if value is None else json.dumps(value)
