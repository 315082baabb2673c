"""Checkpoints that were downloaded: the folder of huggingface_hub, with a record of what was verified.

A download lies as huggingface_hub lays it: `models--ORG--NAME/blobs/DIGEST`, links to them in `snapshots/COMMIT`, the
commit of a branch in `refs`. Beside them Seed writes `seed/COMMIT.json` once every file is there and has the digest
that the hub names; what has no such record is no checkpoint, so that a half download is never loaded. Knows nothing of
the network or of what is in the files.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import CheckpointError

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(@[A-Za-z0-9][\w./-]{0,199})?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MAIN = "main"
CHUNK = 1 << 20
"""Bytes that are read at a time."""
RECORDS = "seed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checkpoint of the hub."""

    repo: str
    """`org/name`."""
    revision: str | None = None
    """Branch, tag or commit; None: the main branch."""

    @classmethod
    def read(cls, text: str) -> "Wanted | None":
        """`org/name` or `org/name@revision`; None if the text is nothing of the kind."""
        if not NAME.fullmatch(text) or ".." in text or "--" in text.partition("@")[0]:
            return None
        repo, _, revision = text.partition("@")
        return cls(repo, revision or None)

    @property
    def home(self) -> Path:
        """Folder of everything downloaded of it."""
        return cache() / f"models--{self.repo.replace('/', '--')}"

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}" if self.revision else self.repo


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub names it."""

    name: str
    size: int
    """Bytes."""
    digest: str
    """SHA-256 of large files, git's SHA-1 of others; both in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Download:
    """A checkpoint that is here, whole."""

    repo: str
    commit: str
    licence: str
    """As the hub has it; empty if it says none."""
    files: tuple[RemoteFile, ...]

    @property
    def folder(self) -> Path:
        return Wanted(self.repo).home / "snapshots" / self.commit

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)

    @property
    def record(self) -> Path:
        return Wanted(self.repo).home / RECORDS / f"{self.commit}.json"

    def check(self) -> None:
        """See that every file is there with its size, without reading it.

        Raises:
            CheckpointError: one is not, and how to get it again.
        """
        for file in self.files:
            path = self.folder / file.name
            size = path.stat().st_size if path.is_file() else None
            if size != file.size:
                what = "is gone" if size is None else f"has {size} bytes, not {file.size}"
                raise CheckpointError(
                    f"{path} {what}; run `seed models pull {self.repo}@{self.commit}` to get it again"
                )

    def damaged(self, tell: Callable[[int], None] = lambda _: None) -> list[str]:
        """Read every file; names of those that are gone or have another digest.

        Args:
            tell: receives how many bytes were read since the last time.
        """
        return [file.name for file in self.files if not is_sound(self.folder / file.name, file, tell)]


def cache() -> Path:
    """Where downloads lie: huggingface_hub's folder, which `HF_HUB_CACHE` or `HF_HOME` moves."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def downloads() -> list[Download]:
    """Every whole download, by name."""
    records = sorted(cache().glob(f"models--*/{RECORDS}/*.json"))
    return [found for record in records if (found := _read(record)) is not None]


def find(wanted: Wanted) -> Download | None:
    """The download of a checkpoint's revision, if it is here and whole when it was made."""
    commit = _commit(wanted)
    return None if commit is None else _read(wanted.home / RECORDS / f"{commit}.json")


def of(folder: Path) -> Download | None:
    """The download whose folder that is; None for a folder of any other kind."""
    home = folder.resolve()
    if home.parent.name != "snapshots":
        return None
    return _read(home.parent.parent / RECORDS / f"{home.name}.json")


def held(wanted: Wanted) -> tuple[str, list[RemoteFile]] | None:
    """Commit and files of a revision that some other tool downloaded; blobs are named by their digests."""
    commit = _commit(wanted)
    if commit is None or not (wanted.home / "snapshots" / commit).is_dir():
        return None
    links = [link for link in (wanted.home / "snapshots" / commit).iterdir() if link.is_file()]
    named = [(link.name, link.resolve()) for link in links if link.is_symlink()]
    return commit, [
        RemoteFile(name, path.stat().st_size, path.name)
        for name, path in named
        if DIGEST.fullmatch(path.name)
    ]


def keep(wanted: Wanted, download: Download) -> None:
    """Link the blobs of a download that was verified, and record it: only now it is a checkpoint."""
    download.folder.mkdir(parents=True, exist_ok=True)
    for file in download.files:
        link = download.folder / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(blob(wanted, file), download.folder))
    _write(download.record, json.dumps(asdict(download) | {"version": 1}, indent=1) + "\n")
    if wanted.revision != download.commit:
        _write(wanted.home / "refs" / (wanted.revision or MAIN), download.commit)


def blob(wanted: Wanted, file: RemoteFile) -> Path:
    """Where a file's bytes lie, named by their digest.

    Raises:
        ValueError: it is no digest, which might name any file.
    """
    if not DIGEST.fullmatch(file.digest):
        raise ValueError(f"{file.digest!r} of {file.name} is no digest")
    return wanted.home / "blobs" / file.digest


def remove(download: Download) -> int:
    """Delete a download and what no other revision of it uses; how many bytes that freed.

    Raises:
        OSError: something cannot be deleted.
    """
    home = Wanted(download.repo).home
    download.record.unlink(missing_ok=True)  # first: what is half deleted is no checkpoint
    shutil.rmtree(download.folder, ignore_errors=False)
    for ref in [path for path in (home / "refs").rglob("*") if path.is_file()]:
        if ref.read_text().strip() == download.commit:
            ref.unlink()
    used = {link.resolve() for link in (home / "snapshots").rglob("*") if link.is_file()}
    unused = [path for path in (home / "blobs").iterdir() if path.resolve() not in used]
    freed = sum(path.stat().st_size for path in unused)
    for path in unused:
        path.unlink()
    if not used:
        shutil.rmtree(home)
    return freed


def hasher(file: RemoteFile) -> "hashlib._Hash":
    """What its digest is computed with, before its first byte."""
    if len(file.digest) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)


def is_sound(path: Path, file: RemoteFile, tell: Callable[[int], None] = lambda _: None) -> bool:
    """Whether a file is there with its digest; the whole of it is read."""
    digest = hasher(file)
    try:
        for chunk in chunks(path):
            digest.update(chunk)
            tell(len(chunk))
    except OSError:
        return False
    return digest.hexdigest() == file.digest


def chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, `CHUNK` at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _commit(wanted: Wanted) -> str | None:
    if wanted.revision and COMMIT.fullmatch(wanted.revision):
        return wanted.revision
    try:
        return (wanted.home / "refs" / (wanted.revision or MAIN)).read_text().strip()
    except OSError:
        return None


def _read(record: Path) -> Download | None:
    """A record that was written whole; anything else is as good as none."""
    try:
        table = json.loads(record.read_bytes())
        files = tuple(RemoteFile(**file) for file in table["files"])
        return Download(table["repo"], table["commit"], table["licence"], files)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    os.replace(partial, path)
