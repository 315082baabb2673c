"""What goes into the model and what comes out, as plain data. The only engine module `seed edit` imports early.

Knows nothing of tensors, tokens or files.
"""

from dataclasses import dataclass, field
from typing import Literal

COMPLETE = "complete"
"""What stands in an instruction's place where a text is to be completed, in training as in use."""

Verdict = Literal[
    "edit", "unchanged", "unsure", "unsound", "made_up", "unfaithful", "out_of_scope", "too_long"
]


@dataclass(frozen=True, slots=True)
class Law:
    """One of `engine.laws`, with the variables of the recipe that has it."""

    name: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One region and what should become of it."""

    instruction: str
    """What to do, in the user's words."""
    region: str
    """The region's text with `\\n` line endings: whole lines."""
    context: str = ""
    """Text of the file around the region, seen and never changed."""
    must_parse: bool = False
    """Whether region and answer are meant to be sound Python by themselves: whole statements at one indentation. Then a
    sound region stays sound, and a broken one gets an answer that mends it, if one is found."""
    may_change: tuple[str, ...] | None = None
    """Names that a sound region may use more or less often afterwards, every other exactly as often, and its literal
    texts say the same; None for any edit."""
    law: Law | None = None
    """What the edit of a sound region has to keep; None for any edit."""

    @property
    def is_bound(self) -> bool:
        """Whether it tells what an edit may do: it is a recipe's."""
        return self.may_change is not None or self.law is not None


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How to sample. `None` leaves a choice to the checkpoint."""

    candidates: int = 1
    """How many distinct candidates to return at most; the first is drawn greedily at temperature 0."""
    judged: bool = False
    """Whether something decides among the candidates, such as tests: then they may be less probable than the threshold.
    Else there are none where the first, which heeds it, changes nothing."""
    needed: bool = False
    """Whether it is known that something must change, as where tests fail: then the likeliest edit is offered even
    where one candidate is asked for and the model would leave the region as it is. Only where `judged`."""
    temperature: float = 0.0
    """Randomness of further candidates; at 0 they are the next most probable edits."""
    top_k: int = 0
    """Sample among the k most probable tokens; 0 leaves the number to the sampler."""
    threshold: float | None = None
    """Least probability of a change for it to be made."""
    max_rounds: int = 16
    """Rounds after which a clean-up round ends the edit."""
    exit_head: bool = True
    """Whether the checkpoint's exit head, if it has one, may save the last round, which would confirm the edit."""
    new_names: bool = False
    """Whether a sound region may get names that stand neither in it nor in the instruction or the context, or that
    nothing binds any more, where the checkpoint is one that should not make up any."""
    near: int | None = 32
    """Tokens on each side of a change that later rounds of an edit read; with None each round reads all of them."""
    seed: int = 0
    """Source of all chance in the sampler."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text the region could become."""

    text: str
    score: float
    """The sampler's confidence in this text, in [0, 1]."""
    changed_tokens: int
    """Tokens inserted, deleted or substituted against the region."""
    rounds: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """The model's answer to one request."""

    verdict: Verdict
    """`edit`: there are candidates. `unchanged`: the model is sure that nothing needs to change. `unsure`: it sees
    something it would not stand by. Of a sound region, what it would do: `unsound`: does not parse. `made_up`: uses
    names that nothing defines. `unfaithful`: uses other names than may be more or less often, puts a name that the
    instruction says in the place of one that it does not, or changes a text.
    `out_of_scope`: it was not trained for this instruction. `too_long`: the region does not fit the model."""
    candidates: tuple[Candidate, ...]
    """Best first, distinct, none equal to the region; empty unless the verdict is `edit`."""
    message: str
    """One sentence for the user when there is no candidate."""
    change_probability: float
    """Probability that something in the region needs to change, in [0, 1]; 0 where the instruction is out of scope."""
    forwards: int
    """Forward passes this request took part in."""
    rounds: int
    region_tokens: int
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of the batch by phase: tokenize, prefix, rounds."""
    stands: bool = True
    """Whether the model would offer the first candidate where nothing judges it; else they are guesses."""


GAP = "…"
"""Stands in a suspicion's text where the model would insert what one forward does not tell."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A place in a region that the model would change: one token, or several that adjoin."""

    start: int
    end: int
    """Characters [start, end) of the region's text; none for a pure insertion."""
    probability: float
    """That the most suspect of its tokens needs to change, in [0, 1]."""
    after: str
    """What would stand there; `GAP` where more would be inserted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one forward over a region tells of it."""

    suspicions: tuple[Suspicion, ...]
    """In the order of the text."""
    change_probability: float
    """Probability that something in the region needs to change, in [0, 1]."""
    region_tokens: int
    is_read: bool = True
    """False for a region that does not fit the model: nothing is known of it."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A text with a gap, or one that is to go on."""

    prefix: str
    """What stands before the gap, with `\\n` line endings."""
    suffix: str | None = None
    """What stands after it, maybe nothing; None if the text goes on until it ends."""


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """How to complete. Texts are drawn independently of each other: equal ones stay."""

    samples: int = 1
    """How many texts to return; at temperature 0 they are all the same."""
    max_tokens: int = 256
    """Tokens of a text at most; never more than half of what the model reads."""
    temperature: float = 0.0
    """Randomness of what is filled in; 0 always takes the most probable token."""
    top_k: int = 0
    """Draw among the k most probable tokens; 0 for no limit."""
    threshold: float = 0.7
    """Least probability with which several tokens are filled in at once; 1 fills in one a round."""
    slots: int = 16
    """Slots that a gap begins with; surplus ones are deleted, others open where they do not suffice."""
    block: int = 32
    """Tokens that are written together where a text goes on."""
    seed: int = 0
    """Source of all chance in the sampler."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One text for a gap."""

    text: str
    score: float
    """The least probability with which something was filled in or changed, in [0, 1]."""
    tokens: int
    is_whole: bool
    """Whether it came to its end; else it was cut off at the most tokens or rounds."""
    rounds: int
    forwards: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The model's answer to one completion request."""

    samples: tuple[Completion, ...]
    """In the order in which they were drawn."""
    read_tokens: int
    """Tokens of the text around the gap that the model read: of a long one those that are nearest."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of the batch by phase: tokenize, prefix, rounds."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a loaded model is."""

    name: str
    revision: str
    """First 12 hex digits of the SHA-256 of the weights."""
    path: str
    parameters: int
    dtype: str
    device: str
    max_region_tokens: int
    recipes: tuple[str, ...]
    """Names of the recipes it was trained for."""
    threshold: float
    """Least probability of a change for it to be made, unless an option says otherwise."""
    context_tokens: int = 0
    """Most tokens of context it reads; 0 if it was trained without."""
    hints: bool = False
    """Whether it knows what to do with the line and the error of a failure beside the instruction."""
