"""Does context help a model? Repairs of injected defects with and without what stands around the function.

    python benchmarks/context.py rows.jsonl [--cases 100] [--tokens 256] [--model PATH] [--out RESULT.json]

Rows are those of `benchmarks/region_choice.py mine`: a function and its file. Each function gets one defect, is asked
to be repaired alone, and again with its surroundings in the context's place, as many tokens as given, whatever the
checkpoint says that it reads. Untouched functions are asked the same: what is edited there is wrong.
"""

import argparse
import json
import random
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.data.defects import KINDS, Code, inject
from engine.editor import Editor
from engine.evaluation.scores import share
from engine.requests import EditOptions, EditRequest
from seedcli.finding.surroundings import CHARACTERS, Surroundings
from seedcli.model_client import find_model
from seedcli.repository.regions import regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--model")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    cases = list(make_cases(arguments.rows, arguments.cases, arguments.tokens))
    editor = Editor.load(find_model(arguments.model) if arguments.model else None)
    editor._info = replace(
        editor.info,
        context_tokens=arguments.tokens,
        max_region_tokens=editor.info.max_region_tokens - arguments.tokens,
    )
    result = {"model": editor.info.revision, "context tokens": arguments.tokens}
    for name, around in (("alone", False), ("with context", True)):
        result[name] = {
            kind: share(
                answers(editor, [(c[kind], c["sound"], c["context"] if around else "") for c in cases])
            ).as_json()
            for kind in ("broken", "sound")
        }
    print(json.dumps(result, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


def make_cases(path: Path, count: int, tokens: int) -> list[dict[str, str]]:
    rng = random.Random(0)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rng.shuffle(rows)
    around = Surroundings(Workspace(Path("/nowhere"), is_git=False), tokens * CHARACTERS)
    cases = []
    for row in rows:
        text = row["file_before"]
        source = SourceFile(
            Path("/nowhere") / row["file"], row["file"], text.encode(), text, "utf-8", b"\n", ""
        )
        region = next((r for r in regions_of(source) if r.text == row["before"]), None)
        broken = inject(Code(region.text), rng.choice(KINDS), rng) if region is not None else None
        if region is not None and broken is not None and len(region.text) < 2000:
            cases.append({"broken": broken, "sound": region.text, "context": around(source, region)})
        if len(cases) == count:
            break
    return cases


def answers(editor: Editor, asked: list[tuple[str, str, str]]) -> list[bool]:
    """Whether each region becomes what it should, or stays as it is where it should."""
    right = []
    for start in range(0, len(asked), 16):
        batch = asked[start : start + 16]
        requests = [EditRequest("fix the bug", text, context, must_parse=True) for text, _, context in batch]
        for (text, goal, _), proposal in zip(batch, editor.propose(requests, EditOptions()), strict=True):
            became = proposal.candidates[0].text if proposal.candidates else text
            right.append(became == goal)
    return right


if __name__ == "__main__":
    main()
