import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.checkpoints.families.family import AUTOREGRESSIVE_FACTS, FACTS
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.registry import FAMILIES, recognise
from engine.errors import CheckpointError
from engine.model.network import Network
from tests.engine.checkpoints.families.vendors import CONFIGS

NAMES = [family.name for family in FAMILIES]
LOADED = [family.name for family in FAMILIES if not family.through]


def test_every_family_that_loads_has_a_tiny_checkpoint():
    assert sorted(CONFIGS) == sorted(LOADED)


@pytest.mark.parametrize("name", LOADED)
def test_a_config_is_of_its_family(name):
    assert recognise(CONFIGS[name], "any folder").name == name


@pytest.mark.parametrize(
    ("config", "folder", "name"),
    [
        ("llada2", "inclusionAI/LLaDA2.1-mini", "llada2.1"),
        ("llada2", "models/llada2.2-flash", "llada2.2"),
        ("qwen2", "fredzzp/open-dcoder-0.5B", "open-dcoder"),
        ("dream-coder", "DiffuCoder-7B-cpGRPO", "diffucoder"),
        ("llada", "iLLaDA-8B", "illada"),
    ],
)
def test_names_tell_families_with_one_config_apart(config, folder, name):
    table = {k: v for k, v in CONFIGS[config].items() if k != "_name_or_path"}
    assert recognise(table, folder).name == name


def test_an_older_revision_is_told_by_its_module():
    table = CONFIGS["stable-diffcoder"] | {
        "architectures": ["LlamaForCausalLM"],
        "auto_map": {"AutoModelForCausalLM": "modeling_seed_diffcoder.SeedDiffcoderForCausalLM"},
    }
    assert recognise(table, "m").name == "stable-diffcoder"


def test_expert_capacity_marks_llada22():
    assert recognise(CONFIGS["llada2"] | {"expert_capacity": 48}, "m").name == "llada2.2"


def test_a_family_can_be_asked_for():
    assert recognise(CONFIGS["llama"], "m", "sdar").name == "sdar"
    with pytest.raises(CheckpointError, match="no family 'nope'; known: stable-diffcoder, sdar"):
        recognise(CONFIGS["llama"], "m", "nope")


@pytest.mark.parametrize(
    "table", [{}, {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, {"model_type": ["llama"]}]
)
def test_what_is_of_no_family_is_refused_with_the_known_ones(table):
    with pytest.raises(
        CheckpointError, match=r"is of no known family; known: stable-diffcoder, sdar, .*qwen3-moe"
    ):
        recognise(table, "m")


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_every_fact_has_a_source(family):
    wanted = AUTOREGRESSIVE_FACTS if family.sight == "past" else FACTS
    assert set(wanted) <= family.sources.keys()
    assert family.known().keys() == family.sources.keys()
    assert all(source and "{" not in source for source in family.sources.values())
    if family.ids.delete is not None:
        assert "edits" in family.sources


def test_what_no_source_confirms_is_marked():
    unverified = {family.name: set(family.unverified) for family in FAMILIES}
    assert unverified["sdar"] == {"stops", "chat"}
    assert "keys" in unverified["sdar-moe"]
    assert unverified["llada2.2"] == {"edits"}
    assert unverified["stable-diffcoder"] == {"chat"}


@pytest.mark.parametrize("name", LOADED)
def test_keys_fill_every_number_once(name):
    family = recognise(CONFIGS[name], name)
    shape = family.shape(Fields(CONFIGS[name]))
    with torch.device("meta"):
        parameters = Network(shape).state_dict()
    filled = {key: torch.zeros(p.shape) for key, p in parameters.items()}
    for place in family.keys(shape).values():
        part = filled[place.parameter]
        part = part if place.expert is None else part[place.expert]
        part = part if place.rows is None else part[slice(*place.rows)]
        assert part.numel()
        part += 1
    for key, counts in filled.items():
        assert torch.equal(counts, torch.full_like(counts, 0 if key.startswith("scope.") else 1)), key


def test_the_config_wins_over_the_facts():
    table = CONFIGS["fast-dllm-v2"] | {"mask_token_id": 7, "eos_token_id": [8, 9], "pad_token_id": -1}
    family = recognise(table, "m")
    ids, block = family.own(Fields(table), family.shape(Fields(table)))
    assert (ids.mask, block) == (7, 16)
    assert ids.stops == (151645, 8, 9)
    assert ids.pad == family.ids.pad


def test_the_config_names_what_deletes_and_inserts():
    family = recognise(CONFIGS["llada2.2"], "m")
    ids, block = family.own(Fields(CONFIGS["llada2.2"]), family.shape(Fields(CONFIGS["llada2.2"])))
    assert (ids.delete, ids.insert, block) == (151, 152, 8)
    assert (family.ids.delete, family.ids.insert, family.block) == (156930, 156931, 32)


def test_a_mask_outside_the_vocabulary_is_refused():
    table = {k: v for k, v in CONFIGS["sdar"].items() if k != "mask_token_id"}
    family = recognise(table, "m")
    with pytest.raises(CheckpointError, match="sdar's mask token is 151669, the vocabulary has 160"):
        family.own(Fields(table), family.shape(Fields(table)))


@pytest.mark.parametrize(
    ("family", "change", "words"),
    [
        (
            "sdar",
            {"num_hidden_layers": 10**9},
            "num_hidden_layers is 1000000000; it must be a whole number from 1 to 512",
        ),
        ("sdar", {"hidden_size": -32}, "hidden_size is -32"),
        ("sdar", {"hidden_size": 32.5}, r"hidden_size is 32\.5"),
        ("sdar", {"hidden_size": True}, "hidden_size is True"),
        ("sdar", {"vocab_size": "many"}, "vocab_size is 'many'"),
        ("sdar", {"vocab_size": None}, "has no vocab_size"),
        ("sdar", {"rms_norm_eps": float("nan")}, "rms_norm_eps is nan"),
        ("sdar", {"rope_theta": float("inf")}, "rope_theta is inf"),
        ("sdar", {"num_key_value_heads": 3}, "kv_heads 3"),
        ("sdar", {"head_dim": 15}, "rotary_size 15 must be even"),
        ("sdar", {"mask_token_id": 160}, "mask_token_id is 160; tokens are whole numbers below 160"),
        ("sdar", {"eos_token_id": [1, "a"]}, "eos_token_id"),
        ("sdar", {"hidden_act": "gelu"}, "hidden_act is 'gelu'; Seed reads only 'silu'"),
        ("sdar", {"attention_bias": True}, "attention_bias is True"),
        ("sdar", {"quantization_config": {"bits": 4}}, "quantization_config"),
        ("sdar", {"layer_types": ["sliding_attention"]}, "layer_types"),
        ("sdar", {"rope_scaling": {"rope_type": "longrope"}}, "rope type 'longrope' is not one of default"),
        ("sdar", {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "rescales attention"),
        ("sdar", {"rope_scaling": [1]}, "rope_scaling"),
        ("fast-dllm-v2", {"use_sliding_window": True}, "use_sliding_window"),
        ("qwen3-moe", {"decoder_sparse_step": 2}, "decoder_sparse_step"),
        ("qwen3-moe", {"mlp_only_layers": [0]}, "mlp_only_layers"),
        ("qwen3-moe", {"num_experts_per_tok": 9}, "9 experts cannot be chosen of 8"),
        ("llada2", {"n_group": 3}, "8 experts do not part into 3 groups"),
        ("llada2", {"topk_group": 5}, "5 chosen"),
        ("llada2", {"rotary_dim": 6}, "rotary_dim is 6"),
        ("llada2.2", {"expert_capacity": 48}, "a block has 48 experts of 8, its tokens need 3"),
        ("llada2.2", {"expert_capacity": 2}, "a block has 2 experts of 8, its tokens need 3"),
        ("llada2.2", {"expert_capacity": None}, "has no expert_capacity"),
        ("llada2.2", {"split_token_id": 160}, "split_token_id is 160; tokens are whole numbers below 160"),
        ("llada", {"include_bias": True}, "include_bias"),
        ("nemotron-labs-diffusion", {"sliding_window": 4096}, "sliding_window is 4096"),
    ],
)
def test_configs_without_sense_are_refused(family, change, words):
    table = CONFIGS[family] | change
    found = recognise(table, family)
    with pytest.raises(CheckpointError, match=words) as caught:
        found.own(Fields(table), found.shape(Fields(table)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_name_tells_the_block():
    family = recognise(CONFIGS["sdar"], "m")
    shape = family.shape(Fields(CONFIGS["sdar"]))
    for name, block in (
        ("JetLM/SDAR-8B-Chat-b16", 16),
        ("SDAR-1.7B-Chat", 4),
        ("x-b8.old", 4),
        ("x-base", 4),
    ):
        assert family.own(Fields(CONFIGS["sdar"]), shape, name)[1] == block
    said = Fields(CONFIGS["sdar"] | {"block_size": 8})
    assert family.own(said, shape, "SDAR-8B-Chat-b16")[1] == 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
EXTREME = st.sampled_from(
    [0, -1, 1, 2, 1e-320, 5e-324, 1e308, 10**400, 1 << 62, float("inf"), float("nan"), "", [], {}]
)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_no_config_is_answered_with_anything_but_a_refusal(data):
    """Whatever stands in the fields, it is read or refused; a shape that is read is a sound one."""
    table = dict(CONFIGS[data.draw(st.sampled_from(LOADED))])
    for _ in range(data.draw(st.integers(1, 3))):
        field = data.draw(st.sampled_from(sorted(table)))
        inner = table[field]
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            table[field] = inner | {data.draw(st.sampled_from(sorted(inner))): data.draw(EXTREME | JSON)}
        else:
            table[field] = data.draw(EXTREME | JSON)
    try:
        family = recognise(table, "m")
        shape = family.shape(Fields(table))
        family.own(Fields(table), shape)
    except CheckpointError:
        return
    assert all(math.isfinite(rate) and rate > 0 for rate in shape.rotary_rates)
    assert shape.rotary_width <= shape.head_width


def test_positions_that_scale_queries_are_left_out():
    table = CONFIGS["nemotron-labs-diffusion"]
    shape = recognise(table, "m").shape(Fields(table))
    assert shape.max_tokens == 256
    assert len(shape.rotary_rates) == 8
