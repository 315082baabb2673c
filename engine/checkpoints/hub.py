"""Getting a checkpoint from the hub: its files by name, resumed where they stopped, verified before they count.

Asked for are safetensors, JSON and tokenizer files that a checkpoint's own index and Seed's list name; Python files,
pickles and whatever else lies there are never fetched. huggingface_hub does the talking: endpoint, token, proxies and
offline mode are its own. Knows nothing of what the files hold, but for the index of shards.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.checkpoints import contents, store
from engine.checkpoints.families.registry import recognise
from engine.checkpoints.memory import gibibytes
from engine.checkpoints.store import Download, RemoteFile, Wanted
from engine.checkpoints.tensors import shown
from engine.errors import CheckpointError

SMALL = (
    contents.CONFIG,
    contents.GENERATION,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_template.json",
)
"""What is fetched beside weights, where a repository has it."""
TRIES = 5
"""Connections in a row that bring nothing before a download is given up."""
WAIT_S = 1.0
"""Before the next one; longer each time."""
TIMEOUT_S = 30.0
"""Silence after which a connection counts as cut."""
PASSING = (408, 429, 500, 502, 503, 504)
"""Answers after which trying again makes sense."""
SPARE = 64 << 20
"""Bytes of a disk that a download leaves free."""
NO_ROOM = (28, 122, 27)
"""ENOSPC, EDQUOT, EFBIG."""

Tell = Callable[[str, int, int], None]
"""Told of progress: a file's name, bytes of all files that are here, bytes of all files."""


def pull(wanted: Wanted, tell: Tell = lambda *_: None) -> Download:
    """Download a checkpoint, or what is lacking of it, verify it, and keep it.

    Raises:
        CheckpointError: it is not there, of no known family, without safetensors, too large for the disk, damaged on
            the way, or the hub cannot be reached. What arrived stays and is resumed from by the next call.
    """
    from huggingface_hub.utils import WeakFileLock

    with _told(wanted):
        commit, licence, listed = _listed(wanted)
        lock = store.cache() / ".locks" / f"{wanted.home.name}.seed.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            fetching = _Fetching(replace(wanted, revision=commit), tell)
            _check_family(wanted, fetching, listed)
            files = _chosen(wanted, fetching, listed)
            _check_room(wanted, fetching, files)
            for file in files:
                fetching.fetch(file)
            done = Download(wanted.repo, commit, licence, tuple(files))
            store.keep(wanted, done)
            return done


def _listed(wanted: Wanted) -> tuple[str, str, dict[str, RemoteFile]]:
    """Commit, licence and files: as the hub says, or in offline mode what another tool downloaded."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        return _listing(wanted)
    except OfflineModeIsEnabled:
        held = store.held(wanted)
        if held is None:
            raise
        known = store.find(wanted)
        return held[0], known.licence if known else "", {file.name: file for file in held[1]}


def _listing(wanted: Wanted) -> tuple[str, str, dict[str, RemoteFile]]:
    """Commit, licence and top-level files of a revision."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(wanted.repo, revision=wanted.revision, files_metadata=True, timeout=TIMEOUT_S)
    card = info.card_data
    licence = str((card.get("license_name") or card.get("license") or "") if card else "")
    files = {}
    for sibling in info.siblings or []:
        digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
        # The digest becomes the name of a file.
        if (
            "/" not in sibling.rfilename
            and digest
            and store.DIGEST.fullmatch(digest)
            and sibling.size is not None
        ):
            files[sibling.rfilename] = RemoteFile(sibling.rfilename, sibling.size, digest)
    if not info.sha or not store.COMMIT.fullmatch(info.sha):
        raise CheckpointError(f"{wanted}: the hub names no commit for it")
    return info.sha, licence, files


def _check_family(wanted: Wanted, fetching: "_Fetching", listed: Mapping[str, RemoteFile]) -> None:
    """Refuse what would not load before its weights are fetched."""
    if contents.CONFIG not in listed:
        raise CheckpointError(f"{wanted} has no {contents.CONFIG}: it is no checkpoint")
    recognise(fetching.table(listed[contents.CONFIG]), wanted.repo)


def _chosen(wanted: Wanted, fetching: "_Fetching", listed: Mapping[str, RemoteFile]) -> list[RemoteFile]:
    """What to fetch: small files first, then the weights, each once."""
    small = [listed[name] for name in SMALL if name in listed]
    if contents.WEIGHTS in listed:
        return [*small, listed[contents.WEIGHTS]]
    if contents.INDEX not in listed:
        raise CheckpointError(_no_weights(wanted, listed))
    index = listed[contents.INDEX]
    shards = fetching.table(index).get("weight_map")
    names = sorted(set(map(str, shards.values()))) if isinstance(shards, dict) else []
    odd = [name for name in names if name not in listed or not name.endswith(".safetensors")]
    if odd or not names:
        what = f"names {shown(str(odd[0]))}, which is not there" if odd else "names no files"
        raise CheckpointError(f"{wanted}: {contents.INDEX} {what}")
    return [*small, index, *(listed[name] for name in names)]


def _no_weights(wanted: Wanted, listed: Mapping[str, RemoteFile]) -> str:
    pickles = [name for name in listed if any(Path(name).match(pattern) for pattern in contents.PICKLES)]
    if pickles:
        return (
            f"{wanted} has its weights as pickles only ({contents.enumerated(pickles)}), which can run code; "
            f"nothing was fetched: ask for a revision with safetensors"
        )
    return f"{wanted} has no weights: neither {contents.WEIGHTS} nor {contents.INDEX}"


def _check_room(wanted: Wanted, fetching: "_Fetching", files: list[RemoteFile]) -> None:
    fetching.total = sum(file.size for file in files)
    fetching.here = 0
    lacking = sum(file.size - fetching.held(file) for file in files)
    free = shutil.disk_usage(wanted.home).free
    if lacking + SPARE > free:
        raise CheckpointError(
            f"{wanted} does not fit on the disk of {store.cache()}: {gibibytes(lacking)} to fetch, "
            f"{gibibytes(free)} free; free some, or set HF_HUB_CACHE to a folder elsewhere"
        )


class _Fetching:
    """Files of one commit on their way."""

    def __init__(self, wanted: Wanted, tell: Tell) -> None:
        self._wanted, self._tell = wanted, tell
        self.total = self.here = 0
        (wanted.home / "blobs").mkdir(parents=True, exist_ok=True)

    def held(self, file: RemoteFile) -> int:
        """Bytes of a file that need not be fetched."""
        for path in (store.blob(self._wanted, file), self._partial(file)):
            if path.exists():
                return min(path.stat().st_size, file.size)
        return 0

    def table(self, file: RemoteFile) -> dict[str, Any]:
        """The JSON object in a file, which is fetched for it."""
        if file.size > contents.MAX_JSON_BYTES:
            raise CheckpointError(f"{self._wanted}: {file.name} has {file.size} bytes, which are not fetched")
        try:
            table = json.loads(self.fetch(file).read_bytes())
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{self._wanted}: {file.name} is no JSON: {error}") from error
        if not isinstance(table, dict):
            raise CheckpointError(f"{self._wanted}: {file.name} holds no JSON object")
        return table

    def fetch(self, file: RemoteFile) -> Path:
        """The blob of a file: what is here and sound, or fetched.

        Raises:
            CheckpointError: what arrives is not what the hub said.
        """
        path, partial = store.blob(self._wanted, file), self._partial(file)
        if path.exists():
            if store.is_sound(path, file):
                self._told(file, file.size)
                return path
            path.unlink()
        resumed = partial.exists()
        # what an earlier run left may be what is wrong: then all of it is fetched anew
        if not self._whole(file, partial) and not (resumed and self._whole(file, partial)):
            raise CheckpointError(
                f"{self._wanted.repo}: {file.name} arrived with another checksum than the hub names "
                f"({file.digest[:12]}…); it was deleted: try again, or ask its owners"
            )
        partial.replace(path)
        return path

    def _whole(self, file: RemoteFile, partial: Path) -> bool:
        """Fetch what is lacking; whether the whole is sound. What is not is deleted."""
        digest, before = store.hasher(file), self.here
        with partial.open("ab+") as out:
            out.seek(0)
            while chunk := out.read(store.CHUNK):
                digest.update(chunk)
            done = out.tell()
            self._told(file, done)
            for chunk in self._arriving(file, done):
                digest.update(chunk)
                out.write(chunk)
                self._told(file, len(chunk))
        if digest.hexdigest() == file.digest:
            return True
        partial.unlink()
        self.here = before
        return False

    def _arriving(self, file: RemoteFile, done: int) -> Iterator[bytes]:
        """The rest of a file from byte `done` on, over as many connections as it takes."""
        from httpx2 import TransportError
        from huggingface_hub import get_session
        from huggingface_hub.errors import HfHubHTTPError

        failures = 0
        while done < file.size:
            try:
                for chunk in self._connection(get_session(), file, done):
                    done, failures = done + len(chunk), 0
                    yield chunk
                if done < file.size:
                    raise TransportError("the connection was closed early")
            except (TransportError, HfHubHTTPError) as error:
                failures += 1
                passes = isinstance(error, TransportError) or error.response.status_code in PASSING
                if not passes or failures >= TRIES:
                    raise
                time.sleep(WAIT_S * failures)

    def _connection(self, session: Any, file: RemoteFile, done: int) -> Iterator[bytes]:
        """What one connection brings, from byte `done` on, never more than the file's size."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        url = hf_hub_url(self._wanted.repo, file.name, revision=self._wanted.revision)
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
        with session.stream(
            "GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S
        ) as response:
            hf_raise_for_status(response)
            skipped = 0 if response.status_code == 206 else done  # a server that knows no ranges
            for chunk in response.iter_bytes():
                fresh = chunk[skipped:]
                skipped -= min(skipped, len(chunk))
                if fresh:
                    yield fresh[: file.size - done]
                    done += len(fresh)
                if done >= file.size:
                    return

    def _told(self, file: RemoteFile, count: int) -> None:
        self.here += count
        self._tell(file.name, self.here, self.total)

    def _partial(self, file: RemoteFile) -> Path:
        return store.blob(self._wanted, file).with_suffix(".seed-partial")


@contextmanager
def _told(wanted: Wanted) -> Iterator[None]:
    """Turn what goes wrong with the network or the disk into one line with the cure."""
    from httpx2 import HTTPError
    from huggingface_hub import errors

    again = f"`seed models pull {wanted}` goes on from there"
    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise CheckpointError(
            f"{wanted} is not here, and offline mode is on; unset HF_HUB_OFFLINE"
        ) from error
    except errors.GatedRepoError as error:
        cure = f"accept its terms at https://huggingface.co/{wanted.repo} and set HF_TOKEN"
        raise CheckpointError(f"{wanted} is given only to those who accepted its terms; {cure}") from error
    except errors.RepositoryNotFoundError as error:
        raise CheckpointError(
            f"the hub has no {wanted.repo}, or shows it only to others; check the name, or set HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise CheckpointError(f"{wanted.repo} has no revision {wanted.revision!r}") from error
    except errors.HfHubHTTPError as error:
        said = f"{error.response.status_code} {error.response.reason_phrase}"
        raise CheckpointError(f"{wanted}: the hub answers {said}; {again}") from error
    except HTTPError as error:
        raise CheckpointError(f"{wanted}: the hub cannot be reached ({_reason(error)}); {again}") from error
    except OSError as error:
        if error.errno in NO_ROOM:
            why = f"the disk of {store.cache()} is full; free some, and {again}"
        else:
            why = f"{error.filename or store.cache()} cannot be written: {error.strerror or error}"
        raise CheckpointError(f"{wanted}: {why}") from error


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
