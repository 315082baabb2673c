"""The shape of a network, as a checkpoint's `config.json` holds it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class ExpertsConfig:
    """A mixture of SwiGLUs in the place of one."""

    count: int
    chosen: int
    """Experts that work on a token."""
    hidden: int
    """Width inside each expert."""
    scores: Literal["softmax", "sigmoid"] = "softmax"
    """What the router's logits are turned into."""
    biased: bool = False
    """Whether a bias an expert is added to the scores when experts are chosen, and left out of their weights."""
    groups: int = 1
    chosen_groups: int = 1
    """Experts are chosen from these many groups of neighbours, those with the best two experts together."""
    block: int = 0
    """Tokens that share the experts they may choose from; 0: each token may choose from all."""
    block_chosen: int = 0
    """Experts that are open to a block: those with the best scores at any of its tokens."""
    renormalised: bool = True
    """Whether a token's weights are divided by their sum."""
    scale: float = 1.0
    """What weights are multiplied by in the end."""
    shared_hidden: int = 0
    """Width inside the SwiGLU that works on every token beside them; 0: there is none."""
    dense_layers: int = 0
    """First layers, which have one SwiGLU and no experts."""

    def __post_init__(self) -> None:
        _positive("experts: ", count=self.count, chosen=self.chosen, hidden=self.hidden, groups=self.groups)
        if self.count % self.groups or not 0 < self.chosen_groups <= self.groups:
            raise CheckpointError(
                f"config: {self.count} experts do not part into {self.groups} groups, {self.chosen_groups} chosen"
            )
        if self.chosen > self.chosen_groups * (self.count // self.groups):
            raise CheckpointError(f"config: {self.chosen} experts cannot be chosen of {self.count}")
        if self.block and not self.chosen <= self.block_chosen <= self.count:
            raise CheckpointError(
                f"config: a block has {self.block_chosen} experts of {self.count}, its tokens need {self.chosen}"
            )
        if self.groups > 1 and self.count // self.groups < 2:
            raise CheckpointError(
                f"config: groups of experts need two experts each, {self.count} are too few"
            )


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A pre-norm transformer with grouped-query attention, RoPE and SwiGLU.

    The defaults from `head_size` on are Seed's own; the others are for weights that were trained elsewhere.
    """

    vocabulary: int
    width: int = 384
    layers: int = 6
    heads: int = 6
    kv_heads: int = 2
    hidden: int = 1024
    """Width inside the SwiGLU."""
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-6
    max_tokens: int = 1024
    """Longest prefix and canvas together that the network was trained for."""
    head_size: int = 0
    """Width of a head; 0: `width / heads`."""
    rotary_size: int = 0
    """First entries of each head that are turned by its position; 0: all."""
    rotary_rates: tuple[float, ...] = ()
    """Angle of each pair of them at position 1, in radians; empty: falling from 1 by `rope_theta`."""
    normed_heads: bool = True
    """Whether queries and keys are normalised, head by head."""
    qkv_bias: bool = False
    tied: bool = True
    """Whether the embedding's weights are also the output's."""
    experts: ExpertsConfig | None = None
    exit_hidden: int = 0
    """Width inside the exit head; 0 if there is none."""

    def __post_init__(self) -> None:
        numbers = ("vocabulary", "width", "layers", "heads", "kv_heads", "hidden")
        _positive(
            "", **{name: getattr(self, name) for name in (*numbers, "rope_theta", "norm_eps", "max_tokens")}
        )
        if self.exit_hidden < 0:
            raise CheckpointError(f"config: exit_hidden is {self.exit_hidden}, it must not be negative")
        if self.heads % self.kv_heads or (not self.head_size and self.width % self.heads):
            raise CheckpointError(
                f"config: width {self.width} must be a multiple of heads {self.heads}, "
                f"and heads a multiple of kv_heads {self.kv_heads}"
            )
        if not 0 < self.rotary_width <= self.head_width or self.rotary_width % 2:
            raise CheckpointError(f"config: rotary_size {self.rotary_width} must be even and within a head")
        if len(self.rotary_rates) not in (0, self.rotary_width // 2):
            raise CheckpointError(
                f"config: rotary_rates has {len(self.rotary_rates)} entries, not one a pair"
            )

    @property
    def head_width(self) -> int:
        return self.head_size or self.width // self.heads

    @property
    def rotary_width(self) -> int:
        return self.rotary_size or self.head_width

    @classmethod
    def read(cls, table: dict[str, Any]) -> "ModelConfig":
        """The config in a JSON object; keys of other readers of the file are left alone.

        Raises:
            CheckpointError: a value is missing or has no sense.
        """
        values = {key: value for key, value in table.items() if key in cls.__dataclass_fields__}
        try:
            if values.get("experts") is not None:
                values["experts"] = ExpertsConfig(**values["experts"])
            return cls(**values | {"rotary_rates": tuple(values.get("rotary_rates", ()))})
        except TypeError as error:
            raise CheckpointError(f"config: {error}") from error

    def table(self) -> dict[str, Any]:
        """What `read` reads."""
        return asdict(self)


def _positive(where: str, **values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise CheckpointError(f"config: {where}{name} is {value}, it must be positive")
