"""The vendors' own decoders against Seed's, on the same tiny random weights: are tokens equal, how long do they take.

Vendors' code is read from clones that you name, and from diffusers if it is installed; what is not there is left out.

    python benchmarks/reference_decoders.py [--stable-diffcoder modeling_stable_diffcoder.py] [--sdar CLONE]
        [--llada CLONE] [--dllm CLONE] [--coda CLONE] [--open-dllm CLONE]
        [--prompts 16] [--tokens 64] [--width 64] [--layers 4] [--turns 3] [--output RESULT.json]

What is done to them so that they run, and run greedily: a model that they call gives logits in which the mask token is
at -inf, since Seed never writes one; SDAR, which divides by its temperature, draws with `argmax` in the place of
`multinomial`, is given transformers' Qwen3 with its masks made additive, and its cache is cut where it asks for nothing
to be stored; Stable-DiffCoder is given masks of float32, and a cache that it may cut at a position, as old releases of
transformers had it; dllm's modules are loaded without the rest of the package. Stops are switched off: every decoder
writes to its end. Seconds are the processor's, of whole answers, the best of `--turns`; ratios are theirs by ours,
above 1 where ours is faster.
"""

import argparse
import contextlib
import importlib.util
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from safetensors.torch import save_file

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.checkpoints.families.registry import FAMILIES
from engine.checkpoints.loading import load
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.sampling.rules.writer import writer
from engine.sampling.rules.writing import Writing

VOCABULARY, MASK = 512, 511
IDS = Ids(mask=MASK)
Prompts = Sequence[Sequence[int]]
Decode = Callable[[Prompts, int], list[list[int]]]
"""Prompts of one length and the tokens to write to what follows each prompt."""


@dataclass(frozen=True)
class Reference:
    """One vendor's decoder."""

    name: str
    source: str
    family: str
    block: int
    rule: Callable[[Rule], Rule]
    decode: Decode
    network: Network
    is_batched: bool
    """Whether one call takes several prompts; else a batch is a loop."""


def family(name: str) -> Family:
    return next(one for one in FAMILIES if one.name == name)


def random_network(width: int, layers: int) -> Network:
    """Weights so large that some tokens are sure, and others not."""
    torch.manual_seed(3)
    heads = max(2, width // 32)
    config = ModelConfig(
        VOCABULARY, width, layers, heads, max(1, heads // 2), 2 * width, max_tokens=4096, tied=False
    )
    network = Network(config).eval().requires_grad_(False)
    for layer in network.layers:
        layer.out.weight.mul_(60)
        layer.down.weight.mul_(20)
    network.embedding.weight.mul_(25)
    network.head.weight.mul_(400 / width)
    return network


class Called:
    """Seed's network as a model that a vendor's decoder can call."""

    def __init__(self, network: Network, block: int | None = None) -> None:
        """`block`: make the mask of causal blocks where the caller gives none."""
        self.network, self.block = network, block
        self.device = torch.device("cpu")
        self.dtype = torch.float32
        self.config = types.SimpleNamespace(pad_token_id=None)

    def eval(self) -> "Called":
        return self

    def __call__(self, ids: Any = None, attention_mask: Any = None, **named: Any) -> Any:
        ids = named.get("input_ids") if ids is None else ids
        length = ids.shape[1]
        mask = None
        if attention_mask is not None and attention_mask.dim() == 4:
            mask = (attention_mask[:, 0] == 0).expand(len(ids), -1, -1)
        elif self.block:
            of = torch.arange(length) // self.block
            mask = (of[None, :] <= of[:, None])[None].expand(len(ids), -1, -1)
        logits = self.network.logits(self.network(ids, torch.arange(length).expand_as(ids), mask))
        logits[..., MASK] = -math.inf
        return Output(logits)


class Output(types.SimpleNamespace):
    """Logits, as an attribute and as the first of two."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__(logits=logits)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.logits, None))


def module(path: Path, name: str) -> Any:
    """A file as a module, without the package around it."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, path
    assert spec.loader is not None, path
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def rows(prompts: Prompts) -> torch.Tensor:
    return torch.tensor([list(prompt) for prompt in prompts])


@contextlib.contextmanager
def greedy_draws() -> Iterator[None]:
    """`torch.multinomial` takes the most probable."""
    drawn = torch.multinomial
    torch.multinomial = lambda p, **_: p.argmax(-1, keepdim=True)  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.multinomial = drawn


class StockQwen3:
    """transformers' Qwen3 as SDAR's generate.py calls its own."""

    def __init__(self, model: Any) -> None:
        self.model, self.device = model, torch.device("cpu")

    def eval(self) -> None:
        self.model.eval()

    def __call__(
        self, ids: Any, attention_mask: Any, past_key_values: Any, store_kv: bool, **named: Any
    ) -> Any:
        least = torch.finfo(torch.float32).min
        additive = torch.zeros(attention_mask.shape).masked_fill(attention_mask == 0, least)[:, None]
        out = self.model(ids, attention_mask=additive, past_key_values=past_key_values, **named)
        if not store_kv:
            past_key_values.crop(-ids.shape[1])
        out.logits[..., MASK] = -math.inf
        return out


def shape(width: int, layers: int) -> dict[str, Any]:
    """Of a Llama or a Qwen3, as transformers writes it."""
    heads = max(2, width // 32)
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": max(1, heads // 2),
        "head_dim": width // heads,
        "max_position_embeddings": 4096,
        "rope_theta": 1e6,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
    }


def randomised(model: Any) -> Any:
    """With weights that are sure of some tokens, and not of others."""
    torch.manual_seed(5)
    model = model.eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            parameter.copy_(torch.randn_like(parameter) * (0.4 if "lm_head" in name else 0.3))
    return model


def loaded(model: Any, config: dict[str, Any]) -> Network:
    """A vendor's model, saved and loaded as Seed loads checkpoints."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "config.json").write_text(json.dumps(config | {"mask_token_id": MASK}))
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path / "model.safetensors")
        return load(path, device="cpu", dtype=torch.float32).network


def stable_diffcoder(file: Path, width: int, layers: int) -> Iterator[Reference]:
    from transformers import DynamicCache, LlamaConfig

    class Past(DynamicCache):  # type: ignore[misc]
        def crop(self, length: int) -> None:
            super().crop(min(0, length - self.get_seq_length()))

    theirs = module(file, "stable_diffcoder")
    theirs.DynamicCache = Past

    class Model(theirs.StableDiffcoderForCausalLM):  # type: ignore[misc, name-defined]
        def _make_block_causal_mask(self, *given: Any, dtype: Any) -> Any:  # noqa: ARG002
            return super()._make_block_causal_mask(*given, dtype=torch.float32)

        def forward(self, *given: Any, **named: Any) -> Any:
            out = super().forward(*given, **named)
            out.logits[..., MASK] = -math.inf
            return out

    config = shape(width, layers)
    model = randomised(Model(LlamaConfig(**config, attn_implementation="sdpa")))
    network = loaded(model, config | {"model_type": "llama", "architectures": ["StableDiffcoderForCausalLM"]})

    def decoding(threshold: float | None) -> Decode:
        def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
            (prompt,) = prompts
            found, _ = model.generate_block(
                rows(prompts), steps=tokens, gen_length=tokens, mask_id=MASK, threshold=threshold
            )
            return [found[0, len(prompt) :].tolist()]

        return decode

    source = "Stable-DiffCoder-8B-Instruct modeling_stable_diffcoder.py, generate_block"
    yield Reference(
        "Stable-DiffCoder, threshold",
        source,
        "stable-diffcoder",
        4,
        lambda r: replace(r, threshold=0.5),
        decoding(0.5),
        network,
        False,
    )
    yield Reference(
        "Stable-DiffCoder, static",
        source,
        "stable-diffcoder",
        4,
        lambda r: replace(r, picks="scheduled", threshold=None),
        decoding(None),
        network,
        False,
    )


def sdar(clone: Path, width: int, layers: int) -> Iterator[Reference]:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = shape(width, layers)
    model = randomised(Qwen3ForCausalLM(Qwen3Config(**config, attn_implementation="sdpa")))
    network = loaded(model, config | {"model_type": "sdar"})
    theirs = module(clone / "generate.py", "sdar_generate")

    def decoding(block: int, strategy: str) -> Decode:
        def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
            (prompt,) = prompts
            with greedy_draws():
                found = theirs.block_diffusion_generate(
                    StockQwen3(model),
                    {"input_ids": rows(prompts)},
                    MASK,
                    gen_length=tokens,
                    block_length=block,
                    denoising_steps=block,
                    remasking_strategy=strategy,
                    confidence_threshold=0.5,
                )
            return [found[0, len(prompt) : len(prompt) + tokens].tolist()]

        return decode

    source = "JetAstra/SDAR generate.py, block_diffusion_generate"
    for block in (4, 16):
        yield Reference(
            f"SDAR dynamic, block {block}",
            source,
            "sdar",
            block,
            lambda rule: replace(rule, threshold=0.5),
            decoding(block, "low_confidence_dynamic"),
            network,
            False,
        )
    static = decoding(4, "low_confidence_static")
    yield Reference(
        "SDAR static, block 4",
        source,
        "sdar",
        4,
        lambda r: replace(r, picks="scheduled"),
        static,
        network,
        False,
    )


def llada(clone: Path, width: int, layers: int) -> Iterator[Reference]:
    theirs, network = module(clone / "generate.py", "llada_generate"), random_network(width, layers)

    def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
        found = theirs.generate(
            Called(network), rows(prompts), steps=tokens, gen_length=tokens, block_length=16, mask_id=MASK
        )
        return [row[len(prompts[0]) :].tolist() for row in found]

    yield Reference(
        "LLaDA, block 16",
        "ML-GSAI/LLaDA generate.py, generate",
        "llada",
        16,
        lambda r: r,
        decode,
        network,
        True,
    )


def diffusers(width: int, layers: int) -> Iterator[Reference]:
    from diffusers import BlockRefinementScheduler, LLaDA2Pipeline

    network = random_network(width, layers)

    def decoding(block: int, editing: float | None) -> Decode:
        scheduler = BlockRefinementScheduler(block_length=block)
        pipeline = LLaDA2Pipeline(model=Called(network, block), scheduler=scheduler, tokenizer=None)
        pipeline.set_progress_bar_config(disable=True)

        def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
            found = pipeline(
                input_ids=rows(prompts),
                gen_length=tokens,
                block_length=block,
                num_inference_steps=block,
                threshold=0.5,
                editing_threshold=editing,
                max_post_steps=15,  # it takes one forward more than it says
                sampling_method="greedy",
                eos_early_stop=False,
                mask_token_id=MASK,
                output_type="seq",
            )
            return [row[:tokens].tolist() for row in found.sequences]

        return decode

    source = "diffusers LLaDA2Pipeline"
    yield Reference(
        "LLaDA2.0 in diffusers",
        source,
        "llada2",
        16,
        lambda r: replace(r, threshold=0.5),
        decoding(16, None),
        network,
        True,
    )
    yield Reference(
        "LLaDA2.1 in diffusers",
        source,
        "llada2.1",
        16,
        lambda r: replace(r, threshold=0.5, edit_threshold=0.4),
        decoding(16, 0.4),
        network,
        False,  # in a batch its rows wait for each other, and edit on
    )


def dllm(clone: Path, width: int, layers: int) -> Iterator[Reference]:
    for name in ("dllm", "dllm.core", "dllm.core.samplers", "dllm.core.schedulers"):
        sys.modules[name] = types.ModuleType(name)
    schedulers: Any = sys.modules["dllm.core.schedulers"]
    schedulers.BaseAlphaScheduler = schedulers.LinearAlphaScheduler = object
    module(clone / "dllm/core/samplers/base.py", "dllm.core.samplers.base")
    network = random_network(width, layers)
    tokenizer = types.SimpleNamespace(mask_token_id=MASK, eos_token_id=None)
    plain = module(clone / "dllm/pipelines/llada2/sampler.py", "dllm_llada2").LLaDA2Sampler
    edits = module(clone / "dllm/pipelines/llada21/sampler.py", "dllm_llada21").LLaDA21Sampler

    def decoding(sampler: Any, **settings: Any) -> Decode:
        made = sampler(model=Called(network), tokenizer=tokenizer)

        def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
            ids = [torch.tensor(list(prompt)) for prompt in prompts]
            found = made.sample(ids, max_new_tokens=tokens, block_size=16, threshold=0.5, **settings)
            start = len(prompts[0])
            return [row[start : start + tokens].tolist() for row in found]

        return decode

    yield Reference(
        "LLaDA2.0 in dllm",
        "ZHZisZZ/dllm LLaDA2Sampler",
        "llada2",
        16,
        lambda r: replace(r, threshold=0.5),
        decoding(plain, steps_per_block=16),
        network,
        True,
    )
    yield Reference(
        "LLaDA2.1 in dllm",
        "ZHZisZZ/dllm LLaDA21Sampler",
        "llada2.1",
        16,
        lambda r: replace(r, threshold=0.5, edit_threshold=0.4),
        decoding(edits, editing_threshold=0.4),
        network,
        False,
    )


def settings_of(tokens: int, length: int) -> types.SimpleNamespace:
    """What Dream's kin read from their generation config."""
    return types.SimpleNamespace(
        output_history=False,
        return_dict_in_generate=False,
        max_length=length + tokens,
        mask_token_id=MASK,
        steps=tokens,
        eps=1e-3,
        alg="entropy",
        alg_temp=None,
        temperature=0.0,
        top_p=None,
        top_k=None,
    )


def coda(clone: Path, width: int, layers: int) -> Iterator[Reference]:
    theirs = module(clone / "CoDALanguageModel/generation_utils.py", "coda_generate").DLMGenerationMixin
    network = random_network(width, layers)

    class Model(theirs, Called):  # type: ignore[misc, valid-type]
        pass

    def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
        length = len(prompts[0])
        found = Model(network)._sample(
            rows(prompts), None, settings_of(tokens, length), lambda *given: given[1], lambda *given: given[2]
        )
        return [row[length:].tolist() for row in found]

    name = "SalesforceAIResearch/CoDA generation_utils.py, _sample"
    yield Reference("CoDA, entropy", name, "coda", 32, lambda r: r, decode, network, True)


def open_dllm(clone: Path, width: int, layers: int) -> Iterator[Reference]:
    path = clone / "veomni/models/transformers/qwen2/generation_utils.py"
    theirs, network = module(path, "open_dllm_generate").MDMGenerationMixin, random_network(width, layers)

    class Model(theirs, Called):  # type: ignore[misc, valid-type]
        pass

    def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
        length = len(prompts[0])
        x = torch.nn.functional.pad(rows(prompts), (0, tokens), value=MASK)
        found = Model(network)._mdm_sample(x, None, settings_of(tokens, length))
        return [row[length:].tolist() for row in found]

    name = "pengzhangzhi/Open-dLLM generation_utils.py, _mdm_sample"
    yield Reference("Open-dCoder, entropy", name, "open-dcoder", 32, lambda r: r, decode, network, True)


def ours(reference: Reference) -> Decode:
    """Seed's decoding of the same."""
    own = family(reference.family)
    made = writer(reference.network, own, IDS, reference.block, rule=reference.rule(own.rule))

    def decode(prompts: Prompts, tokens: int) -> list[list[int]]:
        return [written.tokens for written in made.write([Writing(prompt, tokens) for prompt in prompts])]

    return decode


def one_by_one(decode: Decode) -> Decode:
    return lambda prompts, tokens: [decode([prompt], tokens)[0] for prompt in prompts]


def timed(decode: Decode, prompts: Prompts, tokens: int, turns: int) -> tuple[list[list[int]], float]:
    """What is written, and the least seconds of the turns."""
    best = math.inf
    with torch.inference_mode():
        for _ in range(turns):
            start = time.process_time()
            found = decode(prompts, tokens)
            best = min(best, time.process_time() - start)
    return found, best


def compared(reference: Reference, prompts: Prompts, tokens: int, turns: int) -> dict[str, object]:
    """Equality and seconds, prompts alone and all in one call."""
    mine = ours(reference)
    theirs_alone, seconds_alone = timed(one_by_one(reference.decode), prompts, tokens, turns)
    mine_alone, my_seconds_alone = timed(one_by_one(mine), prompts, tokens, turns)
    theirs_batch, seconds_batch = theirs_alone, seconds_alone
    if reference.is_batched:
        theirs_batch, seconds_batch = timed(reference.decode, prompts, tokens, turns)
    mine_batch, my_seconds_batch = timed(mine, prompts, tokens, turns)
    return {
        "name": reference.name,
        "source": reference.source,
        "family": reference.family,
        "answers": len(prompts),
        "equal_alone": sum(map(list.__eq__, theirs_alone, mine_alone)),
        "equal_batched": sum(map(list.__eq__, theirs_batch, mine_batch)),
        "takes_batches": reference.is_batched,
        "seconds_theirs_alone": round(seconds_alone, 3),
        "seconds_ours_alone": round(my_seconds_alone, 3),
        "ratio_alone": round(seconds_alone / my_seconds_alone, 2),
        "seconds_theirs_batched": round(seconds_batch, 3),
        "seconds_ours_batched": round(my_seconds_batch, 3),
        "ratio_batched": round(seconds_batch / my_seconds_batch, 2),
    }


def references(given: argparse.Namespace) -> Iterator[Reference]:
    """Of every vendor whose code is there."""
    size = given.width, given.layers
    for clone, made in (
        (given.stable_diffcoder, stable_diffcoder),
        (given.sdar, sdar),
        (given.llada, llada),
        (given.dllm, dllm),
        (given.coda, coda),
        (given.open_dllm, open_dllm),
    ):
        if clone is not None:
            yield from made(clone, *size)
    if importlib.util.find_spec("diffusers"):
        yield from diffusers(*size)


def named(argument: str) -> str:
    """Of a path, the last part: where clones lie on a machine is nobody's business."""
    return Path(argument).name or argument


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--stable-diffcoder", "--sdar", "--llada", "--dllm", "--coda", "--open-dllm", "--output"):
        parser.add_argument(name, type=Path)
    for name, default in (
        ("--prompts", 16),
        ("--tokens", 64),
        ("--width", 64),
        ("--layers", 4),
        ("--turns", 3),
    ):
        parser.add_argument(name, type=int, default=default)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    # 32 tokens, so that every block is whole and decoders that end otherwise end alike
    prompts = torch.randint(0, VOCABULARY - 1, (given.prompts, 32)).tolist()
    results = []
    for reference in references(given):
        results.append(compared(reference, prompts, given.tokens, given.turns))
        print(json.dumps(results[-1]), flush=True)
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
    record = {
        "command": " ".join(["python benchmarks/reference_decoders.py", *map(named, sys.argv[1:])]),
        "commit": commit,
        "machine": f"{platform.machine()}, {platform.system()}, torch {torch.__version__}, 1 thread",
        "size": {name: getattr(given, name) for name in ("prompts", "tokens", "width", "layers", "turns")},
        "results": results,
    }
    if given.output:
        given.output.write_text(json.dumps(record, indent=1) + "\n")
    unequal = [r for r in results if {r["equal_alone"], r["equal_batched"]} != {r["answers"]}]
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
