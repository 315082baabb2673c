"""What stands around a question and before its answer, as a checkpoint's chat template has it.

The template is rendered once, with a placeholder for what the user says, by `rendering` in a process of its own. Knows
nothing of torch or of edits.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checkpoints import contents, rendering
from engine.checkpoints.families.family import Turns
from engine.errors import CheckpointError

TOKENIZER_CONFIG, TEMPLATE, TEMPLATE_JSON = (
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
)
PLACEHOLDER = "what-the-user-says-58d1c7"
LONGEST = 1 << 18
"""Characters of a template that is rendered at all; published ones have a few thousand."""
TIMEOUT_S = 20.0
SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "mask_token")


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """What `tokenizer_config.json` says that matters here."""

    tokens: dict[str, str]
    """Special tokens by their role, as text."""
    template: str | None

    @classmethod
    def read(cls, folder: Path) -> "TokenizerConfig":
        """From a folder; empty where it has no such file.

        Raises:
            CheckpointError: a file is damaged, or leads out of the folder.
        """
        table = contents.read_json(folder, TOKENIZER_CONFIG) if contents.has(folder, TOKENIZER_CONFIG) else {}
        tokens = {role: text for role in SPECIAL if (text := _text(table.get(role)))}
        return cls(tokens, _template(folder, table))


def turns(folder: Path, config: TokenizerConfig, built_in: Turns) -> Turns:
    """What stands around what a user says: the folder's template rendered, or the family's own.

    Raises:
        CheckpointError: the template is refused, in one line that says why.
    """
    if config.template is None:
        return built_in
    if len(config.template) > LONGEST:
        raise CheckpointError(
            f"{folder}: the chat template has {len(config.template)} characters; that is too many"
        )
    variables = {
        "messages": [{"role": "user", "content": PLACEHOLDER}],
        "add_generation_prompt": True,
        "enable_thinking": False,
        **{role: config.tokens.get(role, "") for role in SPECIAL},
    }
    text = _rendered(folder, config.template, variables)
    before, found, after = text.partition(PLACEHOLDER)
    if not found or PLACEHOLDER in after:
        times = text.count(PLACEHOLDER)
        raise CheckpointError(
            f"{folder}: the chat template writes what the user says {times} times, not once; it is not used"
        )
    return Turns(before, after)


def _rendered(folder: Path, template: str, variables: dict[str, Any]) -> str:
    command = [sys.executable, "-I", rendering.__file__]
    asked = json.dumps({"template": template, "variables": variables})
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        answer = None
    if answer is None:
        why = f"it takes more than {rendering.SECONDS} s or {rendering.BYTES >> 20} MiB"
    elif "error" in answer:
        why = " ".join(answer["error"].split())[:160]
    else:
        return str(answer["text"])
    raise CheckpointError(f"{folder}: the chat template is refused: {why}")


def _text(value: object) -> str:
    """A token as text; older files have it as an object."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def _template(folder: Path, table: dict[str, Any]) -> str | None:
    """The chat template: a file of its own wins, as in transformers."""
    if contents.has(folder, TEMPLATE):
        path = contents.member(folder, TEMPLATE)
        try:
            return path.read_text("utf-8")[: LONGEST + 1]
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}") from error
    if contents.has(folder, TEMPLATE_JSON):
        table = contents.read_json(folder, TEMPLATE_JSON)
    found = table.get("chat_template")
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default")
    if found is not None and not isinstance(found, str):
        raise CheckpointError(f"{folder}: chat_template is no text")
    return found
