"""For every test a home of its own, a git repository to work in, and `seed` with a scripted model."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from seedcli.main import app
from seedcli.model_client import ModelClient, ScriptedModel, open_model
from tests.seedcli.commands.scripted import replacing

ADD = "def add(a, b):\n    return a - b\n"
ADD_FIXED = ADD.replace("-", "+")
SUB = "def sub(a, b):\n    return a + b\n"


@dataclass(frozen=True)
class Result:
    """What a run of `seed` left behind."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        lines = self.out.splitlines()
        assert len(lines) == 1, lines
        parsed = json.loads(lines[0])
        assert isinstance(parsed, dict)
        return parsed


Seed = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who never used Seed, or git."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("SEED_", "GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    return home


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one defective file, the working folder of the test."""
    root = tmp_path / "repo"
    root.mkdir()
    (root / "calc.py").write_text(ADD + "\n\n" + SUB)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "first")
    monkeypatch.chdir(root)
    return root


def git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git in `root`; what it prints."""
    return subprocess.run(["git", *arguments], cwd=root, input=stdin, capture_output=True, check=True).stdout


@pytest.fixture
def seed(monkeypatch: pytest.MonkeyPatch) -> Seed:
    """Run `seed ...` in this process; `model` answers, by default repairing `add`; None: as installed."""
    repairing = ScriptedModel(replacing({"a - b": "a + b"}))

    def run(*arguments: str, model: ModelClient | None = repairing, stdin: bytes = b"") -> Result:
        opening = open_model if model is None else lambda name, weights: model
        for module in ("editing", "batching.running", "scanning.running", "completing", "asking"):
            monkeypatch.setattr(f"seedcli.{module}.open_model", opening)
        if model is not None:
            monkeypatch.setattr("seedcli.abilities.trained_recipes", lambda name: model.info.recipes)
        done = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)
        return Result(done.exit_code, done.stdout_bytes, done.stderr)

    return run
