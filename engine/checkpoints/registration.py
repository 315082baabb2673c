"""Native checkpoints for users of transformers: importing this module registers them with `AutoConfig` and `AutoModel`.

`seed edit` never imports it. A folder that `save_pretrained` writes is a native checkpoint's, weight for weight; the
tokenizer loads as `PreTrainedTokenizerFast`.
"""

from typing import Any

from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from engine.checkpoints.folder import MODEL_TYPE
from engine.model.config import ModelConfig
from engine.model.network import Network, attend


class SeedConfig(PretrainedConfig):  # type: ignore[misc]  # untyped base
    """`ModelConfig` as transformers keeps it; `seed` holds the sampler's own settings."""

    model_type = MODEL_TYPE

    def __init__(self, seed: dict[str, Any] | None = None, **values: Any) -> None:
        fields = ModelConfig.__dataclass_fields__
        shape = {name: values.pop(name) for name in list(values) if name in fields}
        self.seed = seed or {}
        own = ModelConfig.read({"vocabulary": 8192} | shape)
        for name, value in own.table().items():
            setattr(self, name, value)
        super().__init__(**values)

    @property
    def shape(self) -> ModelConfig:
        return ModelConfig.read({name: getattr(self, name) for name in ModelConfig.__dataclass_fields__})

    @property
    def head_width(self) -> int:
        return self.shape.head_width

    @property
    def rotary_width(self) -> int:
        return self.shape.rotary_width


class SeedModel(PreTrainedModel):  # type: ignore[misc]  # untyped base
    """The network under transformers' roof: the same parts, names and forward pass."""

    config_class = SeedConfig
    attend, rounded = staticmethod(attend), staticmethod(Network.rounded)
    output, stream_dtype = Network.output, Network.stream_dtype
    compute_dtype = Network.compute_dtype
    forward = Network.forward
    logits = Network.logits

    def __init__(self, config: SeedConfig) -> None:
        super().__init__(config)
        network = Network(config.shape)
        self.embedding, self.layers = network.embedding, network.layers
        self.final_norm, self.scope, self.exit = network.final_norm, network.scope, network.exit
        if not config.tied:
            self.head = network.head
        self.post_init()

    def _init_weights(self, module: Any) -> None:
        """Nothing: `Network` has drawn its weights."""


AutoConfig.register(MODEL_TYPE, SeedConfig)
AutoModel.register(SeedConfig, SeedModel)
