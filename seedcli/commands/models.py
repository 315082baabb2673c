"""`seed models`: which checkpoints there are, what one of them is; getting, checking, converting and removing them."""

import dataclasses
import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seedcli.errors import ModelError, SettingsError
from seedcli.report import JSON_VERSION, answer, say

if TYPE_CHECKING:
    from engine.checkpoints.families.family import Family

app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
HubName = Annotated[str, typer.Argument(metavar="ORG/NAME[@REVISION]")]


@app.callback()
def models(context: typer.Context) -> None:
    """List the models that --model takes by name; get, show, convert, verify or remove one.

    \b
    Examples:
      seed models
      seed models show default
      seed models show path/to/checkpoint
    """
    if context.invoked_subcommand is None:
        list_models(json=False)


@app.command("list")
def list_models(json: Json = False) -> None:
    """List the checkpoints that are here, with what they need, and the families whose weights load.

    \b
    Examples:
      seed models list
      seed models list --json
    """
    from engine.checkpoints.families.registry import FAMILIES
    from seedcli.model_client import known_models

    rows = [_row(name, path) for name, path in known_models().items()] + [
        _row(name, path) for name, path in _downloaded().items()
    ]
    if json:
        families = [
            {"name": one.name, "checkpoints": one.checkpoints, "facts": _table(one.known())}
            for one in FAMILIES
        ]
        answer(
            json_format.dumps({"version": JSON_VERSION, "models": rows, "families": families}).encode()
            + b"\n"
        )
    else:
        lines = [line for row in rows for line in _lines(row)]
        lines += ["", "families of checkpoints from elsewhere:", *map(_summary, FAMILIES)]
        answer("".join(f"{line}\n" for line in lines).encode())


@app.command("pull")
def pull_model(name: HubName) -> None:
    """Download a checkpoint from the hub, or go on with it; prints its folder.

    Fetched are safetensors, JSON and tokenizer files, verified by their checksums.

    \b
    Examples:
      seed models pull ORGANISATION/NAME
      seed models pull ORGANISATION/NAME@REVISION
    """
    from seedcli.model_client import pull_model as pull

    answer(f"{pull(_wanted(name)).folder}\n".encode())


@app.command("show")
def show_model(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|PATH]", help="Default: the one `edit` uses.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what a checkpoint is; one of Seed's own is loaded for it, of others the facts of their family are shown.

    \b
    Examples:
      seed models show
      seed models show --json path/to/checkpoint
    """
    from seedcli.model_client import described, forbid_download, open_model
    from seedcli.repository.workspace import Workspace
    from seedcli.settings import load_settings

    settings = load_settings(Workspace.discover(Path.cwd()).root, {"model": name})
    forbid_download(settings.model)
    foreign = described(settings.model)
    facts = foreign.facts() if foreign else {}
    info = (
        foreign.rows() if foreign else dataclasses.asdict(open_model(settings.model, settings.weights).info)
    )
    if json:
        table = info | ({"facts": _table(facts)} if facts else {})
        answer(json_format.dumps({"version": JSON_VERSION, "model": table}).encode() + b"\n")
    else:
        rows = {key: ", ".join(value) if isinstance(value, tuple) else value for key, value in info.items()}
        rows |= {key: f"{fact}  ({source})" for key, (fact, source) in facts.items()}
        answer("".join(f"{key:18} {value}\n" for key, value in rows.items()).encode())


@app.command("convert")
def convert_model(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH")],
    out: Annotated[Path, typer.Argument(help="The folder to make.")],
    to: Annotated[str, typer.Option(help="bfloat16, float16 or float32.")] = "bfloat16",
) -> None:
    """Write a checkpoint from elsewhere with numbers of another type, in its own layout; prints the folder.

    \b
    Examples:
      seed models convert --to float16 ORGANISATION/NAME smaller
    """
    from typing import get_args

    from engine.checkpoints.converting import Type, convert
    from engine.errors import EngineError
    from seedcli.model_client import get_model

    if to not in get_args(Type):
        raise SettingsError(f"--to is {to!r}; it must be one of {', '.join(get_args(Type))}")
    try:
        convert(get_model(name), out, to)  # type: ignore[arg-type]  # one of them
    except EngineError as error:
        raise ModelError(str(error)) from error
    answer(f"{out}\n".encode())


@app.command("verify")
def verify_model(name: HubName) -> None:
    """Read every file of a download and compare it with the hub's checksums; exit code 3 if one differs.

    \b
    Examples:
      seed models verify ORGANISATION/NAME
    """
    from seedcli.progress import Progress

    download = _download(name)
    with Progress(download.size // 10**6 or None, "MB", "MB") as progress:
        read = 0

        def tell(count: int) -> None:
            nonlocal read
            before, read = read // 10**6, read + count
            progress.advance(read // 10**6 - before, read // 10**6 - before)

        damaged = download.damaged(tell)
    if damaged:
        raise ModelError(
            f"{download.repo}: {', '.join(damaged)} is not as the hub has it; run `seed models pull {name}`"
        )
    answer(f"{download.repo} {download.commit}: {len(download.files)} files as the hub has them\n".encode())


@app.command("rm")
def remove_model(
    name: HubName, yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False
) -> None:
    """Delete a download; what other revisions of it use stays.

    \b
    Examples:
      seed models rm ORGANISATION/NAME
    """
    import sys

    from engine.checkpoints import store

    download = _download(name)
    if not yes:
        if not sys.stdin.isatty():
            raise SettingsError(f"{name} is deleted without asking only with -y")
        typer.confirm(f"delete {download.folder}, {download.size / 1e9:.1f} GB?", abort=True, err=True)
    try:
        freed = store.remove(download)
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be deleted: {error.strerror}") from error
    say(f"deleted {download.repo}@{download.commit[:12]}, {freed / 1e9:.1f} GB freed")


def _wanted(name: str) -> Any:
    from engine.checkpoints.store import Wanted

    wanted = Wanted.read(name)
    if wanted is None:
        raise SettingsError(f"{name!r} is no model of the hub; give ORG/NAME or ORG/NAME@REVISION")
    return wanted


def _download(name: str) -> Any:
    from engine.checkpoints import store

    download = store.find(_wanted(name))
    if download is None:
        raise ModelError(f"{name} is not downloaded; see `seed models list`")
    return download


def _downloaded() -> dict[str, Path]:
    """Folder of each download by the name that --model takes."""
    from engine.checkpoints import store

    named = {}
    for download in store.downloads():
        is_main = store.find(store.Wanted(download.repo)) == download
        named[download.repo if is_main else f"{download.repo}@{download.commit}"] = download.folder
    return named


def _row(name: str, path: Path) -> dict[str, Any]:
    """What the list tells of a checkpoint."""
    from engine.checkpoints.describing import describe, family_name
    from engine.errors import EngineError

    family = family_name(path)
    row: dict[str, Any] = {"name": name, "path": str(path)}
    if family is None:
        return row
    try:
        what = describe(path)
    except EngineError as error:
        return row | {"family": family, "problem": str(error)}
    facts = {fact: value for fact, (value, _) in what.facts().items()}
    row |= {"family": family, "bytes": what.size, "licence": what.licence, "memory_bytes": what.bytes_as()}
    row |= {"memory": what.memory(), "rule": facts["rule"], "unverified": what.family.unverified}
    row |= {"block": what.block} if "block" in facts else {}
    return row | ({"warning": what.warning} if what.warning else {})


def _lines(row: Mapping[str, Any]) -> list[str]:
    first = f"{row['name']}  {row['path']}" + (f"  {row['family']}" if "family" in row else "")
    if "problem" in row:
        return [first, f"    cannot be used: {row['problem']}"]
    if "bytes" not in row:
        return [first]
    block = f", blocks of {row['block']}" if "block" in row else ""
    lines = [first, f"    {row['bytes'] / 1e9:.1f} GB; needs {row['memory']}"]
    lines.append(f"    decodes {row['rule']}{block}; licence {row['licence']}")
    lines += [f"    warning: {row['warning']}"] if "warning" in row else []
    return lines + ([f"    unverified: {', '.join(row['unverified'])}"] if row["unverified"] else [])


def _summary(family: "Family") -> str:
    facts = {name: fact for name, (fact, _) in family.known().items()}
    unverified = f"  unverified: {', '.join(family.unverified)}" if family.unverified else ""
    tokens = f"mask {facts['mask']}, block {facts['block']}, " if "mask" in facts else ""
    return f"{family.name}  {tokens}logits {facts['logits']}; {family.licence}{unverified}"


def _table(facts: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, object]]:
    from engine.checkpoints.families.family import UNVERIFIED

    return {
        name: {"value": fact, "source": source, "verified": not source.startswith(UNVERIFIED)}
        for name, (fact, source) in facts.items()
    }
