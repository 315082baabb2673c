"""`seed` as a process of its own with a scripted model: `python -m tests.seedcli.commands.scripted ...`.

`SCRIPT` in the environment is a JSON object of texts to replace. Where `WAIT_FOR` names a file, the model
makes the file `ASKED` when it is asked and answers when the other is there. `THINK_S` is how long it thinks about each
region; `ASKED_LOG` names a file that gets a line for each.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.requests import EditRequest
from seedcli import abilities, model_client
from seedcli.__main__ import run
from seedcli.model_client import ScriptedModel


def replacing(texts: Mapping[str, str]) -> Callable[[EditRequest], str | None]:
    """A model that replaces texts in the region, and is sure that all else is well."""

    def answer(request: EditRequest) -> str | None:
        region = request.region
        for old, new in texts.items():
            region = region.replace(old, new)
        return None if region == request.region else region

    return answer


def _answer(request: EditRequest) -> str | None:
    if name := os.environ.get("WAIT_FOR"):
        Path(os.environ["ASKED"]).touch()
        while not Path(name).exists():
            time.sleep(0.01)
    time.sleep(float(os.environ.get("THINK_S", "0")))
    if log := os.environ.get("ASKED_LOG"):
        with open(log, "a") as file:
            file.write(json.dumps(request.region) + "\n")
    return replacing(json.loads(os.environ["SCRIPT"]))(request)


if __name__ == "__main__":
    model_client.open_model = lambda name, weights: ScriptedModel(_answer)
    abilities.trained_recipes = lambda name: ()
    run()
