"""Seed's logits against independent implementations of the vendors' networks, in float32, with and without cache.

Where transformers has the architecture, its stock class is the oracle, with a 4-D additive mask; LLaDA and LLaDA2 are
written out here, line by line, from the published facts.
"""

import math

import pytest
import torch
from torch.nn import functional as F

from engine.checkpoints.loading import load
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write

LENGTH, BLOCK = 44, 8
STOCK = {
    "llama": "Llama",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "qwen3-moe": "Qwen3Moe",
    "stable-diffcoder": "Llama",
    "sdar": "Qwen3",
    "sdar-moe": "Qwen3Moe",
    "fast-dllm-v2": "Qwen2",
    "dream-coder": "Qwen2",
    "diffucoder": "Qwen2",
    "open-dcoder": "Qwen2",
    "coda": "Qwen3",
    "nemotron-labs-diffusion": "Ministral3",
}
OWN_TIES = {"coda": True}
"""What a vendor's own config class says where the file is silent."""


def masks(length=LENGTH, block=BLOCK):
    blocks = torch.arange(length) // block
    return {
        "blocks": blocks[None, :] <= blocks[:, None],
        "everything": torch.ones(length, length, dtype=torch.bool),
        "past": torch.ones(length, length, dtype=torch.bool).tril(),
    }


def stock(family):
    """transformers' own class for the architecture, and its weights under the vendor's names."""
    import transformers

    name, config = STOCK[family], dict(CONFIGS[family])
    theirs_alone = ("model_type", "architectures", "auto_map", "_name_or_path", "attn_implementation")
    kept = {key: value for key, value in config.items() if key not in theirs_alone}
    kept.setdefault("tie_word_embeddings", OWN_TIES.get(family, False))
    model = getattr(transformers, f"{name}ForCausalLM")(
        getattr(transformers, f"{name}Config")(**kept, attn_implementation="eager")
    )
    shapes = {key: p.shape for key, p in model.state_dict().items()}
    if kept["tie_word_embeddings"]:
        shapes.pop("lm_head.weight")
    state = random_state(shapes)
    left = model.float().eval().load_state_dict(state, strict=False)
    assert left.missing_keys in ([], ["lm_head.weight"])
    model.tie_weights()
    return model, vendors_names(family, state)


def vendors_names(family, state):
    named = {}
    for key, value in state.items():
        if key.endswith("experts.gate_up_proj"):  # stacked in memory only; files have them apart
            gate, up = value.chunk(2, dim=1)
            for e in range(len(value)):
                base = key.removesuffix("gate_up_proj") + f"{e}."
                named |= {f"{base}gate_proj.weight": gate[e].clone(), f"{base}up_proj.weight": up[e].clone()}
        elif key.endswith("experts.down_proj"):
            base = key.removesuffix("down_proj")
            named |= {f"{base}{e}.down_proj.weight": value[e].clone() for e in range(len(value))}
        elif family == "nemotron-labs-diffusion":
            named[key.replace("model.", "encoder.", 1).replace("lm_head", "diffusion_head")] = value
        else:
            named[key] = value
    return named


def additive(mask):
    return torch.zeros(mask.shape).masked_fill(~mask, torch.finfo(torch.float32).min)[None, None]


def cached_logits(network, ids, mask):
    """The same tokens in two forwards, the first one's keys and values kept; cut where no token sees on."""
    cut = 3 * BLOCK
    positions = torch.arange(LENGTH)[None]
    kept = []
    first = network(ids[:, :cut], positions[:, :cut], mask[None, :cut, :cut], keep=kept)
    second = network(ids[:, cut:], positions[:, cut:], mask[None, cut:], kept)
    return network.logits(torch.cat([first, second], dim=1))


def assert_same(mine, theirs):
    assert theirs.std() > 0.3, "the oracle's logits are all alike: nothing would be seen"
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def ids():
    torch.manual_seed(7)
    return torch.randint(0, 160, (1, LENGTH))


@pytest.mark.slow
@pytest.mark.parametrize("family", STOCK)
def test_stock_networks(family, ids, tmp_path):
    model, state = stock(family)
    folder = write(tmp_path / "m", CONFIGS[family], state, shards=2)
    loaded = load(folder, device="cpu", dtype=torch.float32)
    assert loaded.family.name == family
    network = loaded.network
    with torch.inference_mode():
        for name, mask in masks().items():
            theirs = model(input_ids=ids, attention_mask=additive(mask), use_cache=False).logits
            mine = network.logits(network(ids, torch.arange(LENGTH)[None], mask[None]))
            assert_same(mine, theirs)
            if name != "everything":  # what is cached may not see what follows
                assert_same(cached_logits(network, ids, mask), theirs)


@pytest.mark.slow
def test_what_transformers_saves_loads(tmp_path, ids):
    """The layout is transformers' own, too, not only ours of it."""
    from transformers import Qwen3MoeForCausalLM

    model, _ = stock("qwen3-moe")
    assert isinstance(model, Qwen3MoeForCausalLM)
    model.save_pretrained(tmp_path / "m", max_shard_size="20KB")
    assert len(list((tmp_path / "m").glob("*.safetensors"))) > 2
    network = load(tmp_path / "m", device="cpu", dtype=torch.float32).network
    mask = masks()["blocks"]
    with torch.inference_mode():
        theirs = model(input_ids=ids, attention_mask=additive(mask), use_cache=False).logits
        assert_same(network.logits(network(ids, torch.arange(LENGTH)[None], mask[None])), theirs)


def rms(x, weight, eps):
    return x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight


def turned(x, theta, width):
    """Rotary positions on the first `width` entries of x (L, heads, E), half against half."""
    length = x.shape[0]
    out = x.clone()
    for p in range(length):
        for i in range(width // 2):
            angle = p * theta ** (-2 * i / width)
            a, b = x[p, :, i], x[p, :, i + width // 2]
            out[p, :, i] = a * math.cos(angle) - b * math.sin(angle)
            out[p, :, i + width // 2] = b * math.cos(angle) + a * math.sin(angle)
    return out


def attention(q, k, v, mask):
    """(L, heads, E) each; several query heads share a head of keys and values."""
    heads, groups, width = q.shape[1], k.shape[1], q.shape[2]
    mixed = torch.empty_like(q)
    for h in range(heads):
        g = h // (heads // groups)
        scores = q[:, h] @ k[:, g].T / math.sqrt(width)
        mixed[:, h] = scores.masked_fill(~mask, -math.inf).softmax(-1) @ v[:, g]
    return mixed.flatten(1)


def llada_reference(config, w, ids, mask):
    base, eps = "model.transformer.", config["rms_norm_eps"]
    heads, groups = config["n_heads"], config["n_kv_heads"]
    x = w[f"{base}wte.weight"][ids]
    for i in range(config["n_layers"]):
        at = f"{base}blocks.{i}."
        h = rms(x, w[f"{at}attn_norm.weight"], eps)
        q = (h @ w[f"{at}q_proj.weight"].T).view(len(ids), heads, -1)
        k = (h @ w[f"{at}k_proj.weight"].T).view(len(ids), groups, -1)
        v = (h @ w[f"{at}v_proj.weight"].T).view(len(ids), groups, -1)
        q, k = (turned(t, config["rope_theta"], t.shape[-1]) for t in (q, k))
        x = x + attention(q, k, v, mask) @ w[f"{at}attn_out.weight"].T
        h = rms(x, w[f"{at}ff_norm.weight"], eps)
        x = (
            x
            + (F.silu(h @ w[f"{at}ff_proj.weight"].T) * (h @ w[f"{at}up_proj.weight"].T))
            @ w[f"{at}ff_out.weight"].T
        )
    x = rms(x, w[f"{base}ln_f.weight"], eps)
    return x @ w[f"{base}wte.weight" if config["weight_tying"] else f"{base}ff_out.weight"].T


def llada_shapes(config):
    d, f, v = config["d_model"], config["mlp_hidden_size"], config["embedding_size"]
    kv = d // config["n_heads"] * config["n_kv_heads"]
    base = "model.transformer."
    shapes = {f"{base}wte.weight": (v, d), f"{base}ln_f.weight": (d,)}
    if not config["weight_tying"]:
        shapes[f"{base}ff_out.weight"] = (v, d)
    for i in range(config["n_layers"]):
        at = f"{base}blocks.{i}."
        shapes |= {f"{at}attn_norm.weight": (d,), f"{at}ff_norm.weight": (d,), f"{at}attn_out.weight": (d, d)}
        shapes |= {f"{at}q_proj.weight": (d, d), f"{at}k_proj.weight": (kv, d), f"{at}v_proj.weight": (kv, d)}
        shapes |= {f"{at}ff_proj.weight": (f, d), f"{at}up_proj.weight": (f, d), f"{at}ff_out.weight": (d, f)}
    return shapes


def gated(x, w, at):
    gate, up, down = (w[f"{at}{part}_proj.weight"] for part in ("gate", "up", "down"))
    return (F.silu(x @ gate.T) * (x @ up.T)) @ down.T


def routed(config, w, at, x):
    """One token at a time: sigmoid scores, the bias for the choice only, the best groups by their best two."""
    groups, of_each = config["n_group"], config["num_experts"] // config["n_group"]
    out = torch.zeros_like(x)
    for n, token in enumerate(x):
        scores = torch.sigmoid(w[f"{at}gate.weight"] @ token)
        biased = (scores + w[f"{at}gate.expert_bias"]).tolist()
        parts = [biased[g * of_each : (g + 1) * of_each] for g in range(groups)]
        best = sorted(range(groups), key=lambda g: -sum(sorted(parts[g])[-2:]))[: config["topk_group"]]
        allowed = [e for e in range(config["num_experts"]) if e // of_each in best]
        chosen = sorted(allowed, key=lambda e: -biased[e])[: config["num_experts_per_tok"]]
        total = sum(scores[e] for e in chosen) + 1e-20
        for e in chosen:
            share = scores[e] / total * config["routed_scaling_factor"]
            out[n] += share * gated(token, w, f"{at}experts.{e}.")
    return out + gated(x, w, f"{at}shared_experts.")


def routed_by_block(config, w, at, x):
    """LLaDA2.2: each block of tokens first takes the experts with the best scores at any of its tokens."""
    out, size = torch.zeros_like(x), config["block_size"]
    for start in range(0, len(x), size):
        block = x[start : start + size]
        scores = torch.sigmoid(block @ w[f"{at}gate.weight"].T)
        biased = scores + w[f"{at}gate.expert_bias"]
        most = biased.amax(0).tolist()
        open_ = sorted(range(len(most)), key=lambda e: -most[e])[: config["expert_capacity"]]
        for n, token in enumerate(block):
            chosen = sorted(open_, key=lambda e: -float(biased[n, e]))[: config["num_experts_per_tok"]]
            total = sum(scores[n, e] for e in chosen) + 1e-20
            for e in chosen:
                share = scores[n, e] / total * config["routed_scaling_factor"]
                out[start + n] += share * gated(token, w, f"{at}experts.{e}.")
    return out + gated(x, w, f"{at}shared_experts.")


def llada2_reference(config, w, ids, mask):
    route = routed_by_block if "expert_capacity" in config else routed
    eps, width, heads, groups = (
        config[name] for name in ("rms_norm_eps", "head_dim", "num_attention_heads", "num_key_value_heads")
    )
    x = w["model.word_embeddings.weight"][ids]
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        h = rms(x, w[f"{at}input_layernorm.weight"], eps)
        fused = (h @ w[f"{at}attention.query_key_value.weight"].T).view(len(ids), heads + 2 * groups, width)
        q, k, v = fused[:, :heads], fused[:, heads : heads + groups], fused[:, heads + groups :]
        q = turned(rms(q, w[f"{at}attention.query_layernorm.weight"], eps), config["rope_theta"], width // 2)
        k = turned(rms(k, w[f"{at}attention.key_layernorm.weight"], eps), config["rope_theta"], width // 2)
        x = x + attention(q, k, v, mask) @ w[f"{at}attention.dense.weight"].T
        h = rms(x, w[f"{at}post_attention_layernorm.weight"], eps)
        is_dense = i < config["first_k_dense_replace"]
        x = x + (gated(h, w, f"{at}mlp.") if is_dense else route(config, w, f"{at}mlp.", h))
    return rms(x, w["model.norm.weight"], eps) @ w["lm_head.weight"].T


def llada2_shapes(config):
    d, v, e = config["hidden_size"], config["vocab_size"], config["head_dim"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]

    def swiglu(at, f):
        return {
            f"{at}gate_proj.weight": (f, d),
            f"{at}up_proj.weight": (f, d),
            f"{at}down_proj.weight": (d, f),
        }

    shapes = {"model.word_embeddings.weight": (v, d), "model.norm.weight": (d,), "lm_head.weight": (v, d)}
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        shapes |= {f"{at}input_layernorm.weight": (d,), f"{at}post_attention_layernorm.weight": (d,)}
        shapes |= {f"{at}attention.query_layernorm.weight": (e,), f"{at}attention.key_layernorm.weight": (e,)}
        shapes[f"{at}attention.query_key_value.weight"] = ((heads + 2 * groups) * e, d)
        shapes[f"{at}attention.dense.weight"] = (d, heads * e)
        if i < config["first_k_dense_replace"]:
            shapes |= swiglu(f"{at}mlp.", config["intermediate_size"])
            continue
        shapes |= {f"{at}mlp.gate.weight": (config["num_experts"], d)}
        shapes |= {f"{at}mlp.gate.expert_bias": (config["num_experts"],)}
        for one in range(config["num_experts"]):
            shapes |= swiglu(f"{at}mlp.experts.{one}.", config["moe_intermediate_size"])
        shapes |= swiglu(f"{at}mlp.shared_experts.", config["moe_intermediate_size"])
    return shapes


WRITTEN = {
    "llada": (llada_shapes, llada_reference),
    "illada": (llada_shapes, llada_reference),
    "llada2": (llada2_shapes, llada2_reference),
    "llada2.1": (llada2_shapes, llada2_reference),
    "llada2.2": (llada2_shapes, llada2_reference),
}


@pytest.mark.parametrize("family", WRITTEN)
def test_networks_written_out(family, ids, tmp_path):
    shapes, reference = WRITTEN[family]
    config = CONFIGS[family]
    state = random_state(shapes(config))
    loaded = load(write(tmp_path / "m", config, state, shards=3), device="cpu", dtype=torch.float32)
    assert loaded.family.name == family
    network = loaded.network
    with torch.inference_mode():
        for name, mask in masks().items():
            theirs = reference(config, state, ids[0], mask)[None]
            mine = network.logits(network(ids, torch.arange(LENGTH)[None], mask[None]))
            assert_same(mine, theirs)
            if name != "everything":
                assert_same(cached_logits(network, ids, mask), theirs)
