"""`seed doctor`: whether Seed can work on this machine, check by check."""

import importlib.metadata
import json as json_format
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from seedcli import __version__
from seedcli.errors import SeedError
from seedcli.report import JSON_VERSION, answer, one_line

_PACKAGES = (
    "torch", "tokenizers", "safetensors", "textual", "typer",
    "gitpython", "tree-sitter", "tree-sitter-python", "unidiff",
)  # fmt: skip


class Finding(NamedTuple):
    """What one check found."""

    name: str
    ok: bool
    detail: str


def doctor(
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Checkpoint to load.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration files.")] = False,
) -> None:
    """Check packages, git, settings, state folder, terminal and model. Ends with 0, or 1 where one fails.

    \b
    Examples:
      seed doctor
      seed doctor --model my-model --json
    """
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("python", _python),
        ("packages", _packages),
        ("git", _git),
        ("state folder", _state_folder),
        ("terminal", _terminal),
        ("checks", _checks),
        ("settings and model", lambda: _model(model, isolated)),
    )
    findings = [_examine(name, check) for name, check in checks]
    if json:
        rows = [finding._asdict() for finding in findings]
        answer(
            json_format.dumps({"version": JSON_VERSION, "seed": __version__, "checks": rows}).encode() + b"\n"
        )
    else:
        lines = (f"{'ok  ' if f.ok else 'FAIL'}  {f.name:18}  {one_line(f.detail)}\n" for f in findings)
        answer("".join(lines).encode("utf-8", "replace"))
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


class CheckupError(Exception):
    """A check failed; the text names what and the cure."""


def _examine(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except (CheckupError, SeedError, OSError) as error:
        return Finding(name, False, str(error))


def _python() -> str:
    return f"{sys.version.split()[0]} at {sys.executable}, seed {__version__}"


def _packages() -> str:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise CheckupError(f"{package} is not installed; install seedcli again") from None
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def _git() -> str:
    if shutil.which("git") is None:
        return "not installed: folders are edited without a repository's rules"
    return subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _state_folder() -> str:
    from seedcli.patches.journal import state_folder

    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
        file.flush()
        os.fsync(file.fileno())
    return f"{folder} is writable"


def _terminal() -> str:
    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    at = ", ".join(name for name, stream in streams.items() if stream and stream.isatty())
    columns, lines = shutil.get_terminal_size()
    return f"TERM={os.environ.get('TERM', '')!r}, {columns}x{lines}, a terminal is at: {at or 'none'}"


def _checks() -> str:
    from seedcli.checks.running import find_namespaces

    with tempfile.TemporaryDirectory() as folder:
        found = find_namespaces(Path(folder))
    if not found.mounts:
        return f"--check runs in plain copies: {found.refusal}"
    ignored = "with changes going elsewhere" if found.overlay else "read-only"
    return f"--check runs in the repository's place, ignored folders {ignored}"


def _model(name: str | None, isolated: bool) -> str:
    from seedcli.model_client import forbid_download, open_model
    from seedcli.repository.workspace import Workspace
    from seedcli.settings import load_settings

    settings = load_settings(Workspace.discover(Path.cwd()).root, {"model": name}, isolated=isolated)
    forbid_download(settings.model)
    info = open_model(settings.model, settings.weights).info
    return f"{info.name} {info.revision}, {info.parameters:,} parameters, {info.dtype} on {info.device}"
