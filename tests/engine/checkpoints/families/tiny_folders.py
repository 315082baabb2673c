"""Whole tiny checkpoints in the vendors' layouts: config, random weights, tokenizer, and a chat template for some."""

import json

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.registry import recognise
from engine.model.network import Network
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write

CONTROLS = [
    *("<|mask|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|role_end|>", "<|eot_id|>"),
    *("<[begin▁of▁sentence]>", "<[end▁of▁sentence]>", "<|start_header_id|>", "<|end_header_id|>"),
]
MASK, END = 256, 257
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEMPLATES = {
    "sdar": CHATML,
    "coda": [{"name": "default", "template": CHATML}, {"name": "tool", "template": "x"}],
}
"""In tokenizer_config.json, as a text and as a list; fast-dllm-v2 has it as a file, the others none."""
WITHOUT_TOKENIZER_JSON = {"dream-coder", "diffucoder"}


def tiny_folder(path, name, seed=0):
    """A checkpoint of the family of that name, with a vocabulary of bytes."""
    sizes = {"embedding_size": 320} if "d_model" in CONFIGS[name] else {}
    config = CONFIGS[name] | sizes | {"vocab_size": 320, "mask_token_id": MASK, "eos_token_id": END}
    if "split_token_id" in config:
        config |= {"delete_token_id": 300, "split_token_id": 301}
    if recognise(config, name).sight == "past":
        config.pop("mask_token_id", None)
    config.pop("pad_token_id", None)
    if "original_max_position_embeddings" in config.get("rope_parameters", {}):  # bytes are many tokens
        config["rope_parameters"] = config["rope_parameters"] | {"original_max_position_embeddings": 4096}
    write(path, config, random_state(shapes(config, name), seed))
    write_tokenizer(path, as_one_file=name not in WITHOUT_TOKENIZER_JSON)
    table = {"eos_token": {"content": "<|endoftext|>", "special": True}, "mask_token": "<|mask|>"}
    table["added_tokens_decoder"] = {
        str(MASK + i): {"content": text, "special": True} for i, text in enumerate(CONTROLS)
    }
    if name in TEMPLATES:
        table["chat_template"] = TEMPLATES[name]
    if name == "fast-dllm-v2":
        (path / "chat_template.jinja").write_text(CHATML)
    (path / "tokenizer_config.json").write_text(json.dumps(table))
    return path


def shapes(config, name):
    """Of every tensor that the family's key map names."""
    family = recognise(config, name)
    shape = family.shape(Fields(config))
    with torch.device("meta"):
        parameters = Network(shape).state_dict()
    found = {}
    for key, place in family.keys(shape).items():
        part = parameters[place.parameter]
        part = part if place.expert is None else part[place.expert]
        found[key] = tuple((part if place.rows is None else part[slice(*place.rows)]).shape)
    return found


def byte_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in CONTROLS])
    return made


def write_tokenizer(path, *, as_one_file):
    made = byte_tokenizer()
    if as_one_file:
        made.save(str(path / "tokenizer.json"))
        return
    vocabulary = made.get_vocab(with_added_tokens=False)
    (path / "vocab.json").write_text(json.dumps(vocabulary))
    (path / "merges.txt").write_text("#version: 0.2\n")
