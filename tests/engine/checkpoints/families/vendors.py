"""Tiny checkpoints with random weights in the vendors' own layouts: their configs' fields and their tensors' names."""

import json

import torch
from safetensors.torch import save_file

SIZE = {
    "vocab_size": 160,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
    "hidden_act": "silu",
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "torch_dtype": "bfloat16",
    "use_cache": True,
}
QWEN2 = SIZE | {"max_window_layers": 28, "use_sliding_window": False, "sliding_window": 131072}
QWEN2.pop("head_dim")
EXPERTS = {
    "num_experts": 8,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 20,
    "norm_topk_prob": True,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "router_aux_loss_coef": 0.001,
}

CONFIGS = {
    "llama": SIZE
    | {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "rms_norm_eps": 1e-5, "rope_theta": 5e5}
    | {"tie_word_embeddings": False, "pad_token_id": -1, "eos_token_id": [128, 129], "attention_bias": False}
    | {
        "rope_scaling": {
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
            "rope_type": "llama3",
        }
    },
    "qwen2": QWEN2
    | {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "rms_norm_eps": 1e-6, "rope_theta": 1e6}
    | {"tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 1},
    "qwen3": SIZE
    | {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "rms_norm_eps": 1e-6}
    | {
        "rope_parameters": {"rope_theta": 1e6, "rope_type": "linear", "factor": 2.0},
        "tie_word_embeddings": True,
    },
    "qwen3-moe": SIZE
    | EXPERTS
    | {"model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "rms_norm_eps": 1e-6}
    | {"rope_theta": 1e6, "tie_word_embeddings": False, "norm_topk_prob": False},
    "stable-diffcoder": SIZE
    | {"model_type": "llama", "architectures": ["StableDiffcoderForCausalLM"], "rms_norm_eps": 1e-6}
    | {"auto_map": {"AutoModelForCausalLM": "modeling_stable_diffcoder.StableDiffcoderForCausalLM"}}
    | {
        "rope_theta": 500000,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
    }
    | {"attention_bias": False, "mlp_bias": False, "rope_scaling": None},
    "sdar": SIZE
    | {
        "model_type": "sdar",
        "architectures": ["SDARForCausalLM"],
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000,
    }
    | {
        "auto_map": {"AutoModelForCausalLM": "modeling_sdar.SDARForCausalLM"},
        "attn_implementation": "flex_attention",
    }
    | {
        "tie_word_embeddings": False,
        "use_sliding_window": False,
        "sliding_window": None,
        "attention_bias": False,
    },
    "sdar-moe": SIZE
    | EXPERTS
    | {"model_type": "sdar_moe", "architectures": ["SDARMoeForCausalLM"], "rms_norm_eps": 1e-6}
    | {"rope_theta": 1000000.0, "tie_word_embeddings": False, "attention_bias": False, "rope_scaling": None},
    "fast-dllm-v2": QWEN2
    | {"model_type": "Fast_dLLM_Qwen", "architectures": ["Fast_dLLM_QwenForCausalLM"], "rms_norm_eps": 1e-6}
    | {"auto_map": {"AutoModelForCausalLM": "modeling.Fast_dLLM_QwenForCausalLM"}, "conplemenrary_mask": True}
    | {"bd_size": 16, "rope_theta": 1000000.0, "tie_word_embeddings": False},
    "dream-coder": QWEN2
    | {"model_type": "Dream", "architectures": ["DreamModel"], "rms_norm_eps": 1e-6, "rope_theta": 1000000.0}
    | {
        "auto_map": {"AutoModel": "modeling_dream.DreamModel"},
        "mask_token_id": 150,
        "tie_word_embeddings": False,
    },
    "open-dcoder": QWEN2
    | {
        "model_type": "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
    }
    | {"tie_word_embeddings": True, "_name_or_path": "fredzzp/open-dcoder-0.5B"},
    "coda": SIZE
    | {
        "model_type": "CoDA",
        "architectures": ["CoDALanguageModel"],
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
    }
    | {"auto_map": {"AutoModel": "modeling_coda.CoDALanguageModel"}, "torch_dtype": "float32"},
    "nemotron-labs-diffusion": SIZE
    | {"model_type": "nemotron_labs_diffusion", "architectures": ["NemotronLabsDiffusionModel"]}
    | {"auto_map": {"AutoModel": "modeling_nemotron_labs_diffusion.NemotronLabsDiffusionModel"}}
    | {"rms_norm_eps": 1e-5, "tie_word_embeddings": False, "mask_token_id": 100, "block_size": 32}
    | {
        "rope_parameters": {
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "factor": 16.0,
            "llama_4_scaling_beta": 0.1,
            "mscale": 1.0,
            "mscale_all_dim": 1.0,
            "original_max_position_embeddings": 256,
            "rope_theta": 1000000.0,
            "rope_type": "yarn",
        },
        "attention_bias": False,
        "mlp_bias": False,
        "sliding_window": None,
    },
    "llada2": SIZE
    | {"model_type": "llada2_moe", "architectures": ["LLaDA2MoeModelLM"], "rms_norm_eps": 1e-6}
    | {"auto_map": {"AutoModelForCausalLM": "modeling_llada2_moe.LLaDA2MoeModelLM"}, "rope_theta": 600000}
    | {"num_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 20, "num_shared_experts": 1}
    | {"n_group": 4, "topk_group": 2, "score_function": "sigmoid", "norm_topk_prob": True}
    | {"moe_router_enable_expert_bias": True, "routed_scaling_factor": 2.5, "router_dtype": "fp32"}
    | {
        "first_k_dense_replace": 1,
        "partial_rotary_factor": 0.5,
        "rotary_dim": 8,
        "tie_word_embeddings": False,
    }
    | {
        "use_qk_norm": True,
        "use_qkv_bias": False,
        "use_bias": False,
        "norm_head": False,
        "rope_scaling": None,
    },
    "llada": {
        "model_type": "llada",
        "architectures": ["LLaDAModelLM"],
        "auto_map": {"AutoModelForCausalLM": "modeling_llada.LLaDAModelLM"},
        "d_model": 32,
        "n_layers": 3,
        "n_heads": 4,
        "n_kv_heads": 4,
        "mlp_hidden_size": 48,
        "embedding_size": 160,
        "vocab_size": 160,
        "max_sequence_length": 4096,
        "rope_theta": 500000.0,
        "rms_norm_eps": 1e-5,
        "activation_type": "silu",
        "block_type": "llama",
        "layer_norm_type": "rms",
        "alibi": False,
        "rope": True,
        "include_bias": False,
        "include_qkv_bias": False,
        "weight_tying": False,
        "mask_token_id": 150,
        "eos_token_id": 140,
        "pad_token_id": 140,
    },
}
LARGE = {"stable-diffcoder", "fast-dllm-v2", "sdar", "sdar-moe", "open-dcoder", "coda", "llada2"}
for _name in LARGE:  # families whose config names no mask: the vocabulary must have the family's
    CONFIGS[_name] |= {"mask_token_id": 150}
CONFIGS["illada"] = CONFIGS["llada"] | {
    "n_kv_heads": 2,
    "weight_tying": True,
    "_name_or_path": "GSAI-ML/iLLaDA-8B",
}
CONFIGS["diffucoder"] = CONFIGS["dream-coder"] | {"_name_or_path": "apple/DiffuCoder-7B-Instruct"}
CONFIGS["llada2.2"] = CONFIGS["llada2"] | {
    "_name_or_path": "inclusionAI/LLaDA2.2-flash",
    "expert_capacity": 5,
    "block_size": 8,
    "delete_token_id": 151,
    "split_token_id": 152,
}
CONFIGS["llada2.1"] = CONFIGS["llada2"] | {"_name_or_path": "inclusionAI/LLaDA2.1-mini"}


def random_state(shapes, seed=0):
    """Weights that matter: norms about 1, everything else wide enough to be seen in the logits."""
    torch.manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        drawn = torch.randn(shape)
        is_norm = "norm" in name or name.endswith("ln_f.weight")
        state[name] = 1 + 0.2 * drawn if is_norm else 0.2 * drawn
    return state


def write(folder, config, state, shards=1):
    """A folder as the vendors publish it, with the Python file that `auto_map` names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    if "auto_map" in config:
        for file in config["auto_map"].values():
            (folder / f"{file.split('.')[0]}.py").write_text("raise SystemExit('a stranger ran')\n")
    names = sorted(state)
    if shards == 1:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return folder
    index = {}
    for i in range(shards):
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        save_file({name: state[name] for name in names[i::shards]}, folder / file, metadata={"format": "pt"})
        index |= dict.fromkeys(names[i::shards], file)
    total = sum(t.nbytes for t in state.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": index})
    )
    return folder
