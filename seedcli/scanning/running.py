"""A scan from targets to ranked findings: files -> regions -> readings -> findings, in windows of bounded size.

Only reads. Knows nothing of flags or formats.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.requests import EditRequest, Reading
from seedcli.delivering import recover
from seedcli.errors import ModelError, SettingsError, TargetError
from seedcli.model_client import ModelClient, open_model
from seedcli.progress import Progress
from seedcli.proposing import BATCH
from seedcli.report import say
from seedcli.repository.regions import Region, regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import Target, expand, parse_target
from seedcli.repository.workspace import Workspace
from seedcli.scanning.baseline import check_baseline, read_baseline, without_known, write_baseline
from seedcli.scanning.findings import Finding, findings_of
from seedcli.scanning.ignoring import Ignored
from seedcli.scanning.prose import Prose
from seedcli.scanning.state import Readings
from seedcli.settings import load_settings
from seedcli.wording import render_recipe

RECIPE = "fix"
"""What the model is asked to do, so that it looks for what is wrong."""
REGIONS = 512
"""Regions that are sorted by length together."""
MARGIN = 0.5
"""A baseline takes in what is this much less probable: figures move a little with what else is read."""


@dataclass(frozen=True, slots=True)
class ScanWish:
    """What to read, and what to tell of it."""

    targets: tuple[str, ...]
    least: float = 0.1
    """Least probability of a place that is told."""
    limit: int = 100
    """Most findings that are told; 0 for all."""
    baseline: Path | None = None
    """Findings in it are left out."""
    new_baseline: Path | None = None
    """Where to put all findings as accepted ones."""
    state: Path | None = None
    """Where to keep readings for a scan that goes on."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What overrides the settings: the model."""
    force: bool = False
    """Read ignored and secret files that are named."""
    isolated: bool = False
    """Read no configuration files."""


@dataclass(slots=True)
class Scanned:
    """What was found."""

    model: str
    """Name and revision."""
    findings: list[Finding] = field(default_factory=list)
    """Those that are told, the most probable first."""
    total: int = 0
    """How many there are, those beyond the limit too."""
    worst: float = 0.0
    """Highest probability of them all; 0 without any."""
    files: int = 0
    regions: int = 0
    too_long: int = 0
    """Regions that the model cannot read."""

    def summary(self) -> str:
        """How much was read and found, for people."""
        shown = f", {len(self.findings)} shown" if len(self.findings) < self.total else ""
        unread = f"; {self.too_long} are too long for the model" if self.too_long else ""
        return f"{self.total} places{shown}, in {self.regions} regions of {self.files} files{unread}"


def run_scan(wish: ScanWish) -> Scanned:
    """Read everything, rank the places that the model would change.

    Raises:
        SeedError: a target, a setting or the baseline is wrong, or there is no model that can scan.
    """
    if not 0 <= wish.least <= 1:
        raise SettingsError(f"--least must be a number from 0 to 1, not {wish.least:g}")
    workspace = Workspace.discover(Path.cwd())
    settings = load_settings(workspace.root, wish.sampling, isolated=wish.isolated)
    recover(workspace, "print")
    known = read_baseline(wish.baseline) if wish.baseline else None
    if wish.new_baseline:
        check_baseline(wish.new_baseline)
    _, instruction = render_recipe(workspace, RECIPE, {})
    places = _Places(workspace, wish)
    least = wish.least * (MARGIN if wish.new_baseline else 1)
    model = open_model(settings.model, settings.weights)
    scanned = Scanned(f"{model.info.name} {model.info.revision}")
    with (
        Readings(wish.state, model=scanned.model, least=least) as readings,
        Progress(len(places.paths), "files", "regions") as progress,
    ):
        found = list(_findings(places, instruction, model, readings, least, scanned, progress))
        readings.remove()
    if wish.new_baseline:
        write_baseline(wish.new_baseline, found)
        found = [finding for finding in found if finding.probability >= wish.least]
    if known is not None:
        found = without_known(found, known)
    found.sort(key=lambda f: (-f.probability, f.path, f.line, f.column))
    scanned.total, scanned.worst = len(found), found[0].probability if found else 0.0
    scanned.findings = found[: wish.limit] if wish.limit else found
    return scanned


class _Places:
    """The files and regions that the targets name, read one file after the other."""

    def __init__(self, workspace: Workspace, wish: ScanWish) -> None:
        self._workspace, self._force = workspace, wish.force
        whole: list[Target] = []
        self._parts: list[Target] = []
        for target in map(parse_target, wish.targets):
            (self._parts if target.symbol or target.lines else whole).append(target)
        self._whole = dict.fromkeys(path for target in whole for path in self._paths(target))
        named = (workspace.resolve(target.path, relative_to=Path.cwd()) for target in self._parts)
        self.paths = list(dict.fromkeys([*self._whole, *named]))
        # Symbols and lines that are not there are told before anything is read by the model.
        rest = [target for target in self._parts if self._resolved(target) not in self._whole]
        self._read_parts = expand(workspace, rest, cwd=Path.cwd(), force=self._force)
        if not self.paths:
            names = ", ".join(wish.targets)
            raise TargetError(f"{names}: there is no Python code to read; name a file, or another folder")

    def __iter__(self) -> Iterator[tuple[SourceFile, Sequence[Region]]]:
        for path in self._whole:
            try:
                source = SourceFile.read(self._workspace, path)
            except TargetError as error:
                say(str(error))
                continue
            yield source, regions_of(source)
        yield from self._read_parts

    def _paths(self, target: Target) -> Iterable[Path]:
        path = self._resolved(target)
        if path.is_dir():
            return self._workspace.files(path)
        # Protected files are refused, and so are those that cannot be read.
        expand(self._workspace, [target], cwd=Path.cwd(), force=self._force)
        return [path]

    def _resolved(self, target: Target) -> Path:
        return self._workspace.resolve(target.path, relative_to=Path.cwd())


@dataclass(frozen=True, slots=True)
class _Place:
    """One region on its way to the model."""

    path: str
    region: Region
    ignored: Ignored
    prose: Prose


def _findings(
    places: _Places,
    instruction: str,
    model: ModelClient,
    readings: Readings,
    least: float,
    scanned: Scanned,
    progress: Progress,
) -> Iterator[Finding]:
    """All findings in code that no comment takes out, in the order of the windows."""

    def ask(requests: Sequence[EditRequest]) -> list[Reading]:
        try:
            return model.scan(requests, least=least)
        except EngineError as error:
            raise ModelError(str(error)) from error

    for window in _windows(places, scanned, progress):
        window.sort(key=lambda place: len(place.region.text))
        for start in range(0, len(window), BATCH):
            batch = window[start : start + BATCH]
            requests = [EditRequest(instruction, place.region.text) for place in batch]
            for place, reading in zip(batch, readings.of(requests, ask), strict=True):
                scanned.too_long += not reading.is_read
                for finding in findings_of(place.path, place.region, reading):
                    if finding.line - 1 not in place.ignored.lines and not place.prose.holds(finding):
                        yield finding
            progress.advance(parts=len(batch))


def _windows(places: _Places, scanned: Scanned, progress: Progress) -> Iterator[list[_Place]]:
    window: list[_Place] = []
    for source, regions in places:
        ignored, prose = Ignored.read(source.text), Prose(source)
        window += [
            _Place(source.name, region, ignored, prose) for region in regions if not ignored.covers(region)
        ]
        scanned.files += 1
        scanned.regions += len(regions)
        progress.advance(1)
        if len(window) >= REGIONS:
            yield window
            window = []
    yield window
