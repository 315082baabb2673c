"""The one door to a model: what the tool asks of it, a checkpoint in this process, a scripted twin for tests.

Imports the engine, and so torch, only when a model is opened. Knows nothing of files or patches.
"""

import difflib
import importlib.util
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from engine.checkpoints import store
from engine.checkpoints.describing import Described, describe, family_name
from engine.checkpoints.store import Download, Wanted
from engine.errors import EngineError
from engine.requests import (
    Candidate,
    Completed,
    Completion,
    CompletionOptions,
    CompletionRequest,
    EditOptions,
    EditRequest,
    ModelInfo,
    Proposal,
    Reading,
    Suspicion,
)
from seedcli.errors import ModelError
from seedcli.progress import Progress
from seedcli.report import say
from seedcli.settings import models_folder

DEFAULT_MODEL = "default"


class ModelClient(Protocol):
    """What proposes edits, reads for suspicions and fills gaps."""

    @property
    def info(self) -> ModelInfo:
        """What the model is."""

    def propose(self, requests: Sequence[EditRequest], options: EditOptions) -> list[Proposal]:
        """One proposal for each request, in order; requests share forward passes."""

    def scan(self, requests: Sequence[EditRequest], *, least: float) -> list[Reading]:
        """One reading for each request, in order: places that change with at least this probability.

        Raises:
            EngineError: the model cannot tell places.
        """

    def complete(self, requests: Sequence[CompletionRequest], options: CompletionOptions) -> list[Completed]:
        """Texts for the gap of each request, in order; requests share forward passes.

        Raises:
            EngineError: the model fills no gaps.
        """


def open_model(name: str | None, weights: str | None = None) -> ModelClient:
    """The checkpoint of that name or in that folder, loaded into this process; the default one for None.

    Args:
        weights: as in the settings.

    Raises:
        ModelError: there is no such checkpoint, or it cannot be loaded.
    """
    path = None if name is None else get_model(name)
    try:
        from engine.opening import open_editor

        return open_editor(path, weights)
    except EngineError as error:
        raise ModelError(str(error)) from error
    except ImportError as error:
        raise ModelError(f"the engine cannot be imported: {error}; run `seed doctor`") from error


def get_model(name: str) -> Path:
    """The folder of a checkpoint, downloaded first if it is one of the hub's and not here.

    Raises:
        ModelError: there is no such checkpoint, or it cannot be downloaded.
    """
    wanted = Wanted.read(name)
    is_here = wanted is None or name in known_models() or Path(name).is_dir() or store.find(wanted)
    return find_model(name) if wanted is None or is_here else pull_model(wanted).folder


def forbid_download(name: str | None) -> None:
    """Refuse a checkpoint of the hub that is not here: only editing and `seed models pull` download.

    Raises:
        ModelError: it is not here.
    """
    if name is not None and Wanted.read(name) is not None:
        find_model(name)


def pull_model(wanted: Wanted) -> Download:
    """Download a checkpoint of the hub, or what is lacking of it; progress and warnings go to stderr.

    Raises:
        ModelError: it cannot be downloaded.
    """
    from engine.checkpoints.hub import pull

    with Progress(None, "MB", "MB") as progress:
        told = 0

        def tell(name: str, here: int, total: int) -> None:  # noqa: ARG001
            nonlocal told
            megabytes = here // 10**6
            progress.of(total // 10**6 or None)
            if megabytes > told:
                progress.advance(megabytes - told, megabytes - told)
                told = megabytes

        try:
            download = pull(wanted, tell)
        except EngineError as error:
            raise ModelError(str(error)) from error
    if warning := describe(download.folder).warning:
        say(warning)
    return download


def find_model(name: str) -> Path:
    """The folder of a checkpoint given by name or by path, or downloaded.

    Raises:
        ModelError: neither a known name nor the folder of a model.
    """
    known = known_models()
    if name in known:
        return known[name]
    path = Path(os.path.expanduser(name))  # leaves what it does not know
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"folder {name!r} is no model: it has no config.json; see `seed models`")
        return path
    wanted = Wanted.read(name)
    download = store.find(wanted) if wanted else None
    if download is not None:
        return _whole(download)
    names = ", ".join(sorted(known)) or "none"
    if wanted is not None:
        raise ModelError(f"{name} is neither a folder nor downloaded; `seed models pull {name}` gets it")
    raise ModelError(
        f"no model {name!r}: neither a folder nor a known name (known: {names}); see `seed models`"
    )


def _whole(download: Download) -> Path:
    try:
        download.check()
    except EngineError as error:
        raise ModelError(str(error)) from error
    return download.folder


def described(name: str | None) -> Described | None:
    """A checkpoint of another family, without its weights; None if it is Seed's own or not there.

    Raises:
        ModelError: it is of a known family, but damaged or not to be trusted.
    """
    if name is None:
        return None
    try:
        folder = find_model(name)
    except ModelError:
        return None
    if family_name(folder) is None:
        return None
    try:
        return describe(folder)
    except EngineError as error:
        raise ModelError(str(error)) from error


def known_models() -> dict[str, Path]:
    """Folder of each checkpoint with a name: Seed's own and those in the user's folder; Seed's own win."""
    configs = (
        config
        for folder in (models_folder(), _shipped_folder())
        for config in sorted(folder.glob("*/config.json"))
    )
    return {config.parent.name: config.parent for config in configs}


def trained_recipes(name: str | None) -> tuple[str, ...]:
    """The recipes that a checkpoint was trained for, without loading it; empty for one that takes any instruction.

    Empty too where there is no such checkpoint: opening it tells what is wrong.
    """
    try:
        config = find_model(name or DEFAULT_MODEL) / "config.json"
        settings = json.loads(config.read_bytes()).get("seed", {})
        return tuple(map(str, settings.get("recipes", ())))
    except (ModelError, OSError, ValueError, AttributeError, TypeError):
        return ()


def _shipped_folder() -> Path:
    spec = importlib.util.find_spec("engine")
    assert spec is not None
    assert spec.submodule_search_locations, "engine is a package, installed with seedcli"
    return Path(spec.submodule_search_locations[0]) / "checkpoints"


Answer = str | Sequence[str] | Proposal | None
"""What a scripted model says of a region: its new text, several, a whole proposal, or None for unchanged."""


class ScriptedModel:
    """A model that answers as it was told. Counts a round and a forward for each edit."""

    def __init__(
        self,
        answers: Mapping[str, Answer] | Callable[[EditRequest], Answer],
        *,
        completions: Sequence[Completion] = (),
        hints: bool = True,
    ) -> None:
        """
        Args:
            answers: region to answer, absent meaning unchanged; or a function of the request.
            completions: what every gap is filled with.
            hints: as in `ModelInfo`.
        """
        self._hints = hints
        self._answers, self._completions = answers, tuple(completions)
        self.gaps: list[CompletionRequest] = []
        """Every completion asked for so far."""
        self.asked: list[EditRequest] = []
        """Every request so far."""
        self.options: list[EditOptions] = []
        """The options of every call so far."""

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="scripted",
            revision="0" * 12,
            path="",
            parameters=0,
            dtype="none",
            device="none",
            max_region_tokens=1 << 20,
            recipes=(),
            threshold=0.5,
            hints=self._hints,
        )

    def propose(self, requests: Sequence[EditRequest], options: EditOptions) -> list[Proposal]:
        self.asked += requests
        self.options.append(options)
        return [self._proposal(request, options) for request in requests]

    def scan(self, requests: Sequence[EditRequest], *, least: float) -> list[Reading]:
        """Where the first answer to each request differs from the region, as sure as its score."""
        self.asked += requests
        return [self._reading(request, least) for request in requests]

    def complete(self, requests: Sequence[CompletionRequest], options: CompletionOptions) -> list[Completed]:
        self.gaps += requests
        return [Completed(self._completions[: options.samples], len(r.prefix.split())) for r in requests]

    def _reading(self, request: EditRequest, least: float) -> Reading:
        before, tokens = request.region, len(request.region.split())
        proposal = self._proposal(request, EditOptions())
        if not proposal.candidates:
            return Reading((), 0.0, tokens, is_read=proposal.verdict != "too_long")
        first = proposal.candidates[0]
        changes = difflib.SequenceMatcher(None, before, first.text, autojunk=False).get_opcodes()
        found = (
            Suspicion(i, j, first.score, first.text[k:m]) for tag, i, j, k, m in changes if tag != "equal"
        )
        return Reading(tuple(s for s in found if s.probability >= least), first.score, tokens)

    def _proposal(self, request: EditRequest, options: EditOptions) -> Proposal:
        answers = self._answers
        answer = answers(request) if callable(answers) else answers.get(request.region)
        if isinstance(answer, Proposal):
            return answer
        texts = [answer] if isinstance(answer, str) else list(answer or ())
        candidates = tuple(
            Candidate(text, 1.0 - 0.1 * i, changed_tokens=1, rounds=1)
            for i, text in enumerate(texts[: options.candidates])
        )
        return Proposal(
            verdict="edit" if candidates else "unchanged",
            candidates=candidates,
            message="" if candidates else "nothing to change",
            change_probability=1.0 if candidates else 0.0,
            forwards=1,
            rounds=1,
            region_tokens=len(request.region.split()),
        )
