"""A tiny DiffusionGemma with random weights, as transformers' own class writes it, with a tokenizer of Gemma's kind."""

import json

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

CANVAS, STEPS = 32, 6
TURN_END = 261
SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>"]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|turn>' + message['role'] + '\n' + message['content'] "
    "+ '<turn|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|turn>model\n' }}{% endif %}"
)


def gemma_tokenizer():
    """Pieces for bytes, and for runs of spaces, which are added tokens too."""
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "<|turn>", "<turn|>", "▁", "▁▁", "▁▁▁▁"]
    merges = [("▁", "▁"), ("▁▁", "▁▁")]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    model = models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    made = Tokenizer(model)
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    made.add_special_tokens([AddedToken(t, normalized=False) for t in [*SPECIAL, "<|turn>", "<turn|>"]])
    made.add_tokens([AddedToken(run, normalized=False) for run in ("▁▁", "▁▁▁▁")])
    return made


def tiny_gemma(path, seed=0):
    """A whole checkpoint; tests are skipped where transformers has no such class."""
    transformers = pytest.importorskip("transformers")
    if not hasattr(transformers, "DiffusionGemmaConfig"):
        pytest.skip(f"transformers {transformers.__version__} has no DiffusionGemma")
    text = {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "global_head_dim": 16,
        "max_position_embeddings": 4096,
        "layer_types": ["sliding_attention", "full_attention"],
        "num_experts": 4,
        "top_k_experts": 2,
        "moe_intermediate_size": 16,
        "eos_token_id": 1,
    }
    vision = {
        "model_type": "gemma4_vision",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
    }
    ids = {"boi_token_id": 310, "eoi_token_id": 311, "image_token_id": 312}
    config = transformers.DiffusionGemmaConfig(
        text_config=text, vision_config=vision, canvas_length=CANVAS, **ids
    )
    torch.manual_seed(seed)
    transformers.DiffusionGemmaForBlockDiffusion(config).save_pretrained(path)
    (path / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [1, TURN_END], "pad_token_id": 0, "max_denoising_steps": STEPS})
    )
    gemma_tokenizer().save(str(path / "tokenizer.json"))
    table = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"}
    (path / "tokenizer_config.json").write_text(json.dumps(table))
    (path / "chat_template.jinja").write_text(TEMPLATE)
    return path
