"""Where training text comes from: folders and bare git repositories, with their licences.

Knows nothing of Python or of models: it lists files and reads bytes.
"""

import importlib.metadata
import importlib.util
import platform
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DataError

PERMISSIVE = frozenset({"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "ISC", "HPND"})
"""SPDX identifiers of licences whose code may be trained on."""


@dataclass(frozen=True, slots=True)
class Source:
    """One body of code under one licence."""

    name: str
    licence: str
    path: Path
    """A folder, or a git directory, whose newest commit is read."""
    limit: int
    """Most regions to take."""
    skip: tuple[str, ...] = ()
    """Parts of paths that keep a file out."""
    version: str = ""
    """The commit, or the release of what is installed; the same draws need the same versions."""

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Relative name and content of every Python file, in a fixed order."""
        reader = _from_git if (self.path / "HEAD").exists() else _from_folder
        for name, content in reader(self.path):
            if not any(part in f"/{name}" for part in self.skip):
                yield name, content


def read_sources(path: Path, repositories: Path) -> tuple[list[Source], list[Source]]:
    """The training sources and the held-out sources of a TOML file.

    Each entry of `[[train]]` and `[[held_out]]` has `name`, `licence`, perhaps `limit` and `skip`, and one of
    `repository` (a folder or git directory below `repositories`), `package` (an installed one) or `stdlib = true`.

    Raises:
        DataError: the file is missing, names a licence that is not permissive or a source without Python.
    """
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"cannot read the list of sources {path}: {error}") from error
    common = tuple(table.get("skip", ()))
    train, held_out = (
        [_source(e, repositories, common) for e in table.get(k, ())] for k in ("train", "held_out")
    )
    return train, held_out


def _source(entry: dict[str, object], base: Path, skip: tuple[str, ...]) -> Source:
    missing = [key for key in ("name", "licence") if key not in entry]
    if missing or not entry.keys() & {"stdlib", "package", "repository"}:
        raise DataError(f"source {entry}: it needs name, licence, and one of stdlib, package, repository")
    name, licence = str(entry["name"]), str(entry["licence"])
    if licence not in PERMISSIVE:
        raise DataError(f"source {name}: licence {licence} is not permissive; remove it from the list")
    own = entry.get("skip", ())
    if not isinstance(own, list | tuple):
        raise DataError(f"source {name}: skip {own!r} is no list of texts")
    path = _place(entry, base)
    if path is None or not path.exists():
        raise DataError(f"source {name}: there is no {path}; fetch it, install it or remove it from the list")
    path = path / ".git" if (path / ".git").is_dir() else path
    limit = entry.get("limit", 30_000)
    if not isinstance(limit, int) or limit < 1:
        raise DataError(f"source {name}: limit {limit!r} is no number of regions from 1")
    source = Source(name, licence, path, limit, skip + tuple(map(str, own)), _version(entry, path))
    if next(source.files(), None) is None:  # nothing trained on, or nothing drawn for evaluation, unnoticed
        raise DataError(
            f"source {name}: no Python file in {path}; is it the repository itself, not the folder above?"
        )
    return source


def _place(entry: dict[str, object], base: Path) -> Path | None:
    if entry.get("stdlib"):
        return Path(sysconfig.get_paths()["stdlib"])
    if "package" in entry:
        spec = importlib.util.find_spec(str(entry["package"]))
        return Path(spec.origin).parent if spec and spec.origin else None
    return (base / str(entry["repository"])).resolve()


def _version(entry: dict[str, object], path: Path) -> str:
    """Empty where nothing tells it."""
    if entry.get("stdlib"):
        return platform.python_version()
    if "package" in entry:
        names = importlib.metadata.packages_distributions().get(str(entry["package"]), [])
        return importlib.metadata.version(names[0]) if names else ""
    command = ["git", "--git-dir", str(path), "rev-parse", "--verify", "--quiet", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _from_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*.py")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _from_git(git_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Blobs of the newest commit, through one `git cat-file --batch`."""
    listing = subprocess.run(
        ["git", "--git-dir", str(git_dir), "ls-tree", "-r", "-z", "HEAD"], check=True, capture_output=True
    ).stdout
    entries = [e.split(b"\t", 1) for e in listing.split(b"\0") if e]
    blobs = [
        (m.split()[2], n.decode("utf-8", "replace"))
        for m, n in entries
        if m.startswith(b"100") and n.endswith(b".py")
    ]
    with subprocess.Popen(
        ["git", "--git-dir", str(git_dir), "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for sha, name in blobs:
            process.stdin.write(sha + b"\n")
            process.stdin.flush()
            header = process.stdout.readline().split()
            if header[-1] != b"missing":  # a snapshot may leave large files out
                yield name, process.stdout.read(int(header[2]) + 1)[:-1]
        process.stdin.close()
