"""Would later rounds of an edit that read only what changed and its neighbours end as full rounds do?

Within a block every token sees every other, so to keep the keys and values of tokens far from a change is an
approximation. Held-out functions with one injected defect are edited by the default model twice: with every round over
the whole region, as Seed does, and with later rounds over tokens at most NEAR from a change, the others' keys turned to
their new places. Reported: ends that are the same, exact repairs, rounds and processor seconds of both.

    python benchmarks/nearby.py --held-out corpus/held_out.jsonl [--rows 200] [--sizes 128,256] [--near 32]
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from engine.bench.cases import natural
from engine.bench.decoders import trained
from engine.diffusion.layout import Prefix, prefix
from engine.diffusion.levenshtein import align
from engine.model.cache import LayerCache
from engine.model.network import rotary, rotate
from engine.sampling.batch import PrefixCache, read_prefixes
from engine.sampling.edit import EditSampler, EditSettings, Row
from engine.sampling.rounds import View

SEED = 5


@dataclass(frozen=True, slots=True)
class Known:
    """A canvas as it was read last, with its end token: keys and values of each layer, each (1, G, L, E)."""

    canvas: list[int]
    layers: list[LayerCache]


def changed_places(canvas: Sequence[int], pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Places of what is new, and of what follows something that was deleted."""
    found = set(range(len(canvas))) - {j for _, j in pairs}
    at = -1
    for i, j in pairs:
        if i != at + 1:
            found.add(j)
        at = i
    return found


class NearbyEditor(EditSampler):
    """Edits one canvas at a time."""

    near = 32

    def edit(self, where: Prefix, canvas: Sequence[int], settings: EditSettings) -> Row:
        cache = read_prefixes(self._network, [where], self._pad)
        row, known = Row(0, list(canvas)), None
        while not row.done:
            full, last = [*row.canvas, self._ids.end], row.rounds >= settings.max_rounds
            known, view = self._read(cache, full, known, inserts=not last)
            self._update(row, view, settings, last=last)
        return row

    def _read(
        self, cache: PrefixCache, canvas: list[int], known: Known | None, *, inserts: bool
    ) -> tuple[Known, View]:
        before = cache.lengths[0]
        places, others, old = list(range(len(canvas))), [], cache.layers
        if known is not None:
            places, others, old = self._part(cache, canvas, known)
        tokens = [canvas[j] for j in places]
        kept: list[LayerCache] = []
        positions = before + torch.tensor([places])
        features = self._network(torch.tensor([tokens]), positions, None, old, keep=kept)
        if places[-1] != len(canvas) - 1:  # views end with the end token
            tokens, features = [*tokens, canvas[-1]], torch.cat([features, features[:, -1:]], dim=1)
        view = self._labels.views(features, [tokens], [inserts])[0]
        order = torch.tensor([*others, *places]).argsort()
        layers = [(k[:, :, before:][:, :, order], v[:, :, before:][:, :, order]) for k, v in kept]
        keep, best, sure = [1.0] * len(canvas), list(canvas), [1.0] * len(canvas)
        for k, place in enumerate(places):
            keep[place], best[place], sure[place] = view.keep[k], view.best[k], view.probability[k]
        return Known(canvas, layers), View(keep, best, sure)

    def _part(
        self, cache: PrefixCache, canvas: list[int], known: Known
    ) -> tuple[list[int], list[int], list[LayerCache]]:
        """Places that are read anew, those that are not, and the latter's keys and values behind the prefix's."""
        pairs = align(known.canvas, canvas)
        changed = changed_places(canvas, pairs)
        close = {j for j in range(len(canvas)) if any(abs(j - c) <= self.near for c in changed)}
        far = [(i, j) for i, j in pairs if j not in close]
        old = torch.tensor([i for i, _ in far], dtype=torch.int64)
        cos, sin = rotary(torch.tensor([j - i for i, j in far], dtype=torch.int64), self._network.config)
        layers = []
        for (pk, pv), (k, v) in zip(cache.layers, known.layers, strict=True):
            turned = rotate(k[0, :, old].transpose(0, 1), cos, sin).transpose(0, 1)[None]
            layers.append((torch.cat([pk, turned], dim=2), torch.cat([pv, v[:, :, old]], dim=2)))
        return sorted(close), [j for _, j in far], layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--held-out", type=Path, default=Path("corpus/held_out.jsonl"))
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--sizes", default="128,256")
    parser.add_argument("--near", type=int, default=32)
    given = parser.parse_args()
    functions = [json.loads(line)["text"] for line in given.held_out.open()]
    weights = trained(None)
    c = weights.tokenizer.controls
    editor = NearbyEditor(weights.network, c.edits, never=c.never, pad=c.pad)
    editor.near = given.near
    settings = EditSettings(threshold=weights.threshold)
    where = prefix((), weights.tokenizer.encode("fix the bug"), marks=c.marks)
    for size in map(int, given.sizes.split(",")):
        cases = natural(weights.tokenizer, functions, size, 1, given.rows, SEED)
        rows: dict[str, list[Row]] = {"full": [], "nearby": []}
        spent = dict.fromkeys(rows, 0.0)
        with torch.inference_mode():
            for case in cases:
                for name in rows:
                    start = time.process_time()
                    if name == "full":
                        rows[name].append(editor.run([where], [case.canvas], settings)[0][0].rows[0])
                    else:
                        rows[name].append(editor.edit(where, case.canvas, settings))
                    spent[name] += time.process_time() - start
        pairs = list(zip(rows["full"], rows["nearby"], strict=True))
        report = {
            "tokens": size,
            "rows": len(cases),
            "edited": sum(tuple(a.canvas) != case.canvas for (a, _), case in zip(pairs, cases, strict=True)),
            "same": sum(a.canvas == b.canvas for a, b in pairs),
        }
        for name, own in rows.items():
            exact = sum(tuple(row.canvas) == case.target for row, case in zip(own, cases, strict=True))
            report[name] = {
                "exact": exact,
                "rounds": sum(row.rounds for row in own),
                "processor_seconds": round(spent[name], 2),
            }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
