"""What a family of checkpoints is: facts with their sources, and how its config and tensors are read.

Facts are the family's; a checkpoint's own config wins where it names a token or a block size. Knows nothing of torch
or of how rules are carried out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import Keys
from engine.errors import CheckpointError
from engine.model.config import ModelConfig

UNVERIFIED = "unverified"
"""How the source of a fact begins that no source confirms."""

Grid = Literal["absolute", "prompt"]
"""Where blocks are counted from: the first token, or the first one after the prompt."""
Sight = Literal["blocks", "everything", "past", "past and block"]
"""What a token sees: its block and earlier ones; all; itself and earlier ones; those, and its block until done."""
Picks = Literal["best and above", "above or scheduled", "above or opened", "scheduled", "next"]
"""Which masks a forward fills: the surest and all above the threshold; all above it, but if they are fewer than the
schedule says, the surest so many; all above it, but at least one more than deletes and inserts opened, and all once
no other is left (such a rule deletes and inserts); the surest so many always; the next token."""
Exactness = Literal["float64", "float32", "weights"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a family decodes, with the defaults of the vendor's own decoder."""

    picks: Picks
    sureness: Literal["probability", "entropy"] = "probability"
    softmax: Exactness = "weights"
    """What probabilities are computed in; `weights`: the weights' own type."""
    threshold: float | None = None
    """None: the schedule alone."""
    inclusive: bool = False
    """Whether a probability equal to the threshold is above it."""
    schedule: Literal["masks", "block", "time"] = "masks"
    """What is spread over the steps: a block's masks; its tokens, those that the prompt gave among them; its masks as
    time falls, rounded down (Dream)."""
    steps: int | None = None
    """Forwards that a block's schedule is spread over; None: as many as what is spread."""
    part: int = 0
    """Tokens of the parts of a block that are finished one after the other; 0: the block is one."""
    temperature: float = 0.0
    top_p: float = 1.0
    heated: bool = True
    """Whether sureness is that of the distribution drawn from; else of the one at temperature 1."""
    edit_threshold: float | None = None
    """Above it a visible token of the block is replaced; None: visible tokens stay."""
    edit_rounds: int = 0
    """Forwards after the last mask is filled, at most."""


@dataclass(frozen=True, slots=True)
class Turns:
    """A chat as text: what stands before and after what a user says."""

    before: str
    after: str
    """With what begins the answer."""


CHATML = Turns("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")


@dataclass(frozen=True, slots=True)
class Ids:
    """Special tokens."""

    mask: int | None = None
    """None: the tokenizer's."""
    stops: tuple[int, ...] = ()
    pad: int | None = None
    delete: int | None = None
    insert: int | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Checkpoints that are read and decoded the same way."""

    name: str
    checkpoints: tuple[str, ...]
    """On huggingface.co."""
    licence: str
    shape: Callable[[Fields], ModelConfig]
    keys: Callable[[ModelConfig], Keys]
    sources: Mapping[str, str]
    """Where each fact was read; see `FACTS`."""
    model_types: tuple[str, ...]
    architectures: tuple[str, ...] = ()
    """Empty: any."""
    modules: tuple[str, ...] = ()
    """Beginnings of the file names in `auto_map`, which are read as names and never run."""
    hints: tuple[str, ...] = ()
    """Parts of a checkpoint's name, lower case, that tell it from another family with the same config; empty: any."""
    marks: tuple[str, ...] = ()
    """Fields that only this family's config has."""
    ids: Ids = field(default_factory=Ids)
    block: int = 1
    block_field: str | None = None
    """Field of the config that gives another block size."""
    block_in_name: str | None = None
    """Pattern whose first group in a checkpoint's name does."""
    grid: Grid = "absolute"
    sight: Sight = "blocks"
    shifted: bool = False
    """Whether the logits of a position are for the next one, as an autoregressive model's."""
    opened: bool = False
    """Whether the first token of a block is told by the one before it, once that is read as finished text."""
    template: Turns = CHATML
    """How a chat is written where a checkpoint brings no template."""
    rule: Rule = Rule("next")
    through: str = ""
    """Class of transformers that these checkpoints load through; empty: Seed's own network."""

    @property
    def unverified(self) -> tuple[str, ...]:
        """Facts that no source confirms."""
        return tuple(name for name, source in self.sources.items() if source.startswith(UNVERIFIED))

    def fits(self, table: Mapping[str, Any], name: str) -> bool:
        """Whether a config is of this family.

        Args:
            name: the checkpoint's, lower case, with folders if it has any.
        """
        says = table.get("architectures")
        architectures = says if isinstance(says, list) else []
        mapped = table.get("auto_map")
        files = [str(file) for file in mapped.values()] if isinstance(mapped, dict) else []
        knows_class = not self.architectures or any(a in self.architectures for a in architectures)
        knows_module = any(file.startswith(self.modules) for file in files) if self.modules else False
        knows_name = any(hint in name for hint in self.hints) if self.hints else True
        knows_mark = any(mark in table for mark in self.marks)
        is_named = knows_name or knows_mark
        return table.get("model_type") in self.model_types and (knows_class or knows_module) and is_named

    def own(self, config: Fields, shape: ModelConfig, name: str = "") -> tuple[Ids, int]:
        """Special tokens and block size of a checkpoint: as its config or its name says, else the family's.

        Raises:
            CheckpointError: one that the vocabulary does not have.
        """
        own = self.ids
        said = {kind: config.ids(f"{kind}_token_id", shape.vocabulary) for kind in SAID}
        ids = replace(
            own,
            mask=said["mask"][0] if said["mask"] else own.mask,
            stops=tuple(dict.fromkeys((*own.stops, *said["eos"]))),
            pad=said["pad"][0] if said["pad"] else own.pad,
        )
        if own.delete is not None:
            ids = replace(
                ids, delete=(*said["delete"], own.delete)[0], insert=(*said["split"], own.insert)[0]
            )
        for kind, id_ in (("mask", ids.mask), ("delete", ids.delete), ("insert", ids.insert)):
            if id_ is not None and id_ >= shape.vocabulary:
                raise CheckpointError(
                    f"config.json: {self.name}'s {kind} token is {id_}, the vocabulary has {shape.vocabulary}"
                )
        block = self._block(name)
        return ids, config.count(self.block_field, "tokens", block) if self.block_field else block

    def _block(self, name: str) -> int:
        found = re.search(self.block_in_name, name) if self.block_in_name else None
        return max(int(found[1]), 1) if found else self.block

    def known(self, ids: Ids | None = None, block: int | None = None) -> dict[str, tuple[str, str]]:
        """What is known, by name: the fact and its source, as text."""
        ids = ids or self.ids
        rows = {
            "mask": _mask(self, ids),
            "stops": ", ".join(map(str, ids.stops)) or "the tokenizer's",
            "edits": f"delete {ids.delete}, insert {ids.insert}" if ids.delete is not None else "",
            "routing": "experts are chosen block by block",
            "block": str(block or self.block),
            "grid": f"from the {'first token' if self.grid == 'absolute' else 'prompt on'}",
            "sight": {"blocks": "its block and earlier ones"}.get(self.sight, self.sight),
            "logits": "for the next position" if self.shifted else "in place",
            "rule": described(self.rule),
            "chat": f"{self.template.before!r}, {self.template.after!r}",
            "keys": "",
            "licence": self.licence,
        }
        return {name: (fact, self.sources[name]) for name, fact in rows.items() if name in self.sources}


FACTS = ("mask", "stops", "block", "grid", "sight", "logits", "rule", "chat", "keys", "licence")
"""What every diffusion family gives a source for; LLaDA2.2 has `edits` and `routing` beside them."""
SAID = ("mask", "eos", "pad", "delete", "split")
"""Tokens that a config may name; LLaDA2.2 calls the one that inserts `split`."""
AUTOREGRESSIVE_FACTS = ("stops", "sight", "logits", "rule", "chat", "keys", "licence")


def _mask(family: Family, ids: Ids) -> str:
    if ids.mask is not None:
        return str(ids.mask)
    return "none" if family.through else "the tokenizer's"


def described(rule: Rule) -> str:
    """One line."""
    sign = ">=" if rule.inclusive else ">"
    words = {
        "best and above": f"the surest and all with p {sign} {rule.threshold}",
        "above or scheduled": f"all with p {sign} {rule.threshold}, else the surest as scheduled",
        "above or opened": f"all with p {sign} {rule.threshold}, one more at least than deletes and inserts open",
        "scheduled": "the surest as scheduled",
        "next": "token after token",
    }[rule.picks]
    parts = [words]
    if rule.sureness == "entropy":
        parts.append("sure by entropy")
    if rule.schedule == "time":
        parts.append("as time falls")
    if rule.steps:
        parts.append(f"{rule.steps} steps a block")
    if rule.part:
        parts.append(f"parts of {rule.part}")
    if rule.temperature:
        parts.append(f"temperature {rule.temperature}")
    if rule.top_p < 1:
        parts.append(f"top-p {rule.top_p}")
    if rule.edit_threshold is not None:
        parts.append(f"replaces visible tokens above {rule.edit_threshold}")
    return ", ".join(parts)
