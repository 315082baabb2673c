"""A checkpoint from elsewhere as one of Seed's own, ready to be taught to edit.

The weights stay as they are; the tokenizer gets the control tokens that it lacks (delete, insert and those that mark a
request's parts), in rows of the embedding that are spare, or in new ones. What comes out is a native folder that
answers nothing sensible yet: such tokens are the network's to learn. Knows nothing of training loops.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from engine.checkpoints import contents
from engine.checkpoints import folder as checkpoint
from engine.checkpoints.families.family import Family, Ids
from engine.checkpoints.loading import load
from engine.errors import CheckpointError
from engine.model.network import Network
from engine.model.tokenizer import CONTROLS, CodeTokenizer

TOKENIZER = "tokenizer.json"
MASK = "<|mask|>"
MOST_TOKENS = 4096
"""Longest row that an adopted checkpoint reads; its own limit is that of other uses."""
SAMPLE = 'def f(x):\r\n\tif x != "ä…😀e\u0301":  \n        return 12345\n\n'
"""What a tokenizer must give back as it was."""
SETTINGS: dict[str, Any] = {"recipes": [], "threshold": 0.7, "sure": 0.3, "steps": 0}


def adopt(folder: Path, out: Path) -> None:
    """Write the checkpoint in `folder` as a native one to `out`; `adopted` in its settings tells of it.

    Raises:
        CheckpointError: it is of no known family, not to be trusted, or its tokenizer is not of bytes.
        DeviceError: it does not fit into memory.
    """
    loaded = load(folder, device="cpu", dtype=torch.bfloat16)
    network = loaded.network
    tokenizer, new = _tokenizer(folder, loaded.ids, network.config.vocabulary)
    grown = _grown(network, tokenizer.size)
    _begin(grown, tokenizer, new, loaded.ids)
    told = _told(folder, loaded.family, sorted(new))
    checkpoint.save(out, grown, tokenizer, SETTINGS | {"adopted": told})
    (out / "README.md").write_text(_card(told, loaded.family))


def _told(folder: Path, family: Family, rows: list[int]) -> dict[str, Any]:
    return {
        "name": contents.called(folder),
        "family": family.name,
        "licence": family.licence,
        "shifted": family.shifted,
        "rows": rows,
    }


def _tokenizer(folder: Path, ids: Ids, size: int) -> tuple[CodeTokenizer, set[int]]:
    """The tokenizer with every control token and one token for each row, and the ids that are new."""
    table = contents.read_json(folder, TOKENIZER)
    made, known = _parsed(folder, table)
    if sorted(known.values()) != list(range(len(known))):
        raise CheckpointError(f"{folder / TOKENIZER} has gaps between its tokens; it cannot be added to")
    mask = ids.mask if ids.mask is not None else known.get(MASK)
    if mask is not None:
        table = _with_mask(table, known, mask)
    made, known = _parsed(folder, table | _plain(table))
    if mask is not None and mask >= len(known):  # a row that the tokenizer has no name for
        made.add_special_tokens([*(_unused(i) for i in range(len(known), mask)), MASK])
    before = set(made.get_vocab(with_added_tokens=True).values())
    made.add_special_tokens([f"<|{name}|>" for name in CONTROLS])
    made.add_special_tokens([_unused(i) for i in range(made.get_vocab_size(), size)])
    try:
        tokenizer = CodeTokenizer(made)
        is_sound = tokenizer.decode(tokenizer.encode(SAMPLE)) == SAMPLE
    except (UnicodeDecodeError, ValueError):
        is_sound = False
    if not is_sound:
        raise CheckpointError(f"{folder / TOKENIZER} does not give texts back byte by byte; it cannot edit")
    controls = tokenizer.controls
    return tokenizer, {getattr(controls, name) for name in CONTROLS} - before


def _plain(table: dict[str, Any]) -> dict[str, Any]:
    """Nothing that changes a text or adds to it; the spelling of a token that was added is ordinary text."""
    added = [token | {"special": True, "normalized": False} for token in table.get("added_tokens", [])]
    nothing = dict.fromkeys(("normalizer", "post_processor", "truncation", "padding"))
    return nothing | {"added_tokens": added}


def _parsed(folder: Path, table: dict[str, Any]) -> tuple[Tokenizer, dict[str, int]]:
    try:
        made = Tokenizer.from_str(json.dumps(table))
    except Exception as error:  # the tokenizers library raises bare Exception
        raise CheckpointError(
            f"{folder / TOKENIZER} cannot be read: {' '.join(str(error).split())[:160]}"
        ) from error
    return made, made.get_vocab(with_added_tokens=True)


def _with_mask(table: dict[str, Any], known: dict[str, int], mask: int) -> dict[str, Any]:
    """The mask under Seed's name for it."""
    spare = {token["content"] for token in table.get("added_tokens", []) if token["id"] != mask}
    if MASK in spare or (known.get(MASK, mask) != mask):
        raise CheckpointError(
            f"{TOKENIZER}: {MASK} is not token {mask}, which the checkpoint's config calls its mask"
        )
    added = [
        token | {"content": MASK} if token["id"] == mask else token for token in table.get("added_tokens", [])
    ]
    return table | {"added_tokens": added}


def _unused(row: int) -> str:
    return f"<|unused_{row}|>"


def _grown(network: Network, size: int) -> Network:
    """The same network with so many tokens, at least as many as it had."""
    config = network.config
    shape = replace(config, vocabulary=size, max_tokens=min(config.max_tokens, MOST_TOKENS))
    with torch.device("meta"):
        grown = Network(shape)
    state = network.state_dict()
    for name in _tables(network):
        state[name] = torch.cat([state[name], state[name].new_zeros(size - config.vocabulary, config.width)])
    grown.load_state_dict(state, assign=True)
    return grown


def _tables(network: Network) -> Iterator[str]:
    yield "embedding.weight"
    if not network.config.tied:
        yield "head.weight"


@torch.no_grad()
def _begin(network: Network, tokenizer: CodeTokenizer, new: set[int], ids: Ids) -> None:
    """New rows begin as the mean of all, those that end or fill as the checkpoint's own for that."""
    controls = tokenizer.controls
    stops = [id_ for id_ in ids.stops if id_ < tokenizer.size]
    like = {controls.end: stops[0] if stops else None, controls.pad: ids.pad}
    for name in _tables(network):
        table: Tensor = network.get_parameter(name)
        mean = table.float().mean(0)
        spread = table.float().std(0)
        generator = torch.Generator().manual_seed(1)
        for row in sorted(new):
            model = like.get(row)
            drawn = mean + 0.1 * spread * torch.randn(mean.shape, generator=generator)
            table[row] = drawn.to(table.dtype) if model is None or model >= len(table) else table[model]


def _card(told: dict[str, Any], family: Family) -> str:
    return (
        f"# {told['name']}, adopted\n\nThe weights of `{told['name']}`, of the family {family.name} "
        f"({family.licence}), with Seed's control tokens. Not trained to edit.\n"
    )
