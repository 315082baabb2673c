"""The index of one workspace in one SQLite file in the user's cache folder.

A file is read again when its time or size is another, and taken up again when its text is. Any number of processes may
read and refresh at once: what is on disk belongs to some state of each file, written in one transaction. The whole
file may be deleted at any time. Knows nothing of ranking or of what names mean.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seedcli.errors import TargetError
from seedcli.folders import user_folder
from seedcli.index.words import parts, searchable
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace
from seedcli.syntax import symbols
from seedcli.syntax.languages import language_of, suffixes

VERSION = 2
"""Of the tables and of what is read from a text; another one is another file."""
FLUSH = 200
"""Files that are written together."""
PATIENCE_S = 60.0
"""How long one process waits for another's transaction."""
_UNSETTLED_NS = 2_000_000_000
"""A file that changed so shortly before it was read may change again within the same tick of its clock."""

_TABLES = """
CREATE TABLE IF NOT EXISTS files(
    id INTEGER PRIMARY KEY, path TEXT UNIQUE, mtime INTEGER, size INTEGER, sha256 TEXT);
CREATE TABLE IF NOT EXISTS definitions(
    file INTEGER, name TEXT, symbol TEXT, kind TEXT, start INTEGER, body INTEGER, "end" INTEGER, outermost INTEGER);
CREATE INDEX IF NOT EXISTS definitions_name ON definitions(name);
CREATE INDEX IF NOT EXISTS definitions_file ON definitions(file);
CREATE TABLE IF NOT EXISTS uses(name TEXT, file INTEGER, lines TEXT, PRIMARY KEY(name, file)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names(file INTEGER PRIMARY KEY, names TEXT);
CREATE TABLE IF NOT EXISTS units(
    id INTEGER PRIMARY KEY, file INTEGER, symbol TEXT, start INTEGER, "end" INTEGER);
CREATE INDEX IF NOT EXISTS units_file ON units(file);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    symbol, path, text, tokenize = 'porter unicode61', detail = column);
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """Some lines of a file that can be searched for: an outermost function, or what stands between those."""

    path: str
    """Relative to the root, forward slashes."""
    symbol: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """A definition and where it is."""

    path: str
    name: str
    symbol: str
    kind: str
    start: int
    body: int
    """Line after the signature."""
    end: int


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did."""

    files: int
    """Files in the index now."""
    read: int
    """Files that were taken up."""
    removed: int
    seconds: float


class Store:
    """One workspace's index. Not for several threads; open one in each."""

    def __init__(self, workspace: Workspace, database: Path | None) -> None:
        """
        Args:
            database: the SQLite file, made where there is none; None for an index in memory.
        """
        self._workspace, self._database = workspace, database
        self._connection = self._connect()

    @classmethod
    def open(cls, workspace: Workspace) -> "Store":
        """The index in the user's cache folder; one in memory where that folder cannot be written."""
        database = database_of(workspace)
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
            return cls(workspace, database)
        except (OSError, sqlite3.OperationalError):
            return cls(workspace, None)

    @classmethod
    def peek(cls, workspace: Workspace) -> "Store | None":
        """The index as some run left it, without bringing it up to date; None where there is none to read."""
        database = database_of(workspace)
        try:
            return cls(workspace, database) if database.is_file() else None
        except sqlite3.Error:
            return None

    def close(self) -> None:
        self._connection.close()

    def refresh(self, on_progress: Callable[[int, int], None] = lambda *_: None) -> Refreshed:
        """Bring the index up to what is on disk; in memory from now on where its file cannot be written to the end.

        Args:
            on_progress: called with the number of files looked at, and of all.
        """
        try:
            return self._refresh(on_progress)
        except sqlite3.DatabaseError as error:
            if self._database is None:
                raise
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError):  # a full disk, or a lock that is not given up
                self._database = None
            else:  # a cache that cannot be read is made anew
                _remove(self._database)
            self._connection = self._connect()
            return self._refresh(on_progress)

    def search(
        self, terms: Sequence[str], weights: tuple[float, float, float], limit: int
    ) -> list[tuple[Unit, float]]:
        """Units that hold any of the terms, by BM25, best first.

        Args:
            weights: of the words of the symbol, of the path, of the text.
        """
        if not terms:
            return []
        query = " OR ".join('"' + term.replace('"', "") + '"' for term in terms)
        rows = self._connection.execute(
            'SELECT path, units.symbol, start, "end", -score FROM (SELECT rowid AS unit, bm25(words, ?, ?, ?) AS score '
            "FROM words WHERE words MATCH ? ORDER BY score LIMIT ?) "
            "JOIN units ON units.id = unit JOIN files ON files.id = units.file ORDER BY score, path, start",
            (*weights, query, limit),
        )
        return [(Unit(*row[:4]), row[4]) for row in rows]

    def units(self, path: str) -> list[Unit]:
        """What can be searched for in a file, in order of lines."""
        rows = self._connection.execute(
            'SELECT path, symbol, start, "end" FROM units JOIN files ON files.id = units.file WHERE path = ? '
            "ORDER BY start",
            (path,),
        )
        return [Unit(*row) for row in rows]

    def definitions(self, name: str) -> list[Place]:
        """Everything of that bare name, in order of files and lines."""
        rows = self._connection.execute(
            'SELECT path, name, symbol, kind, start, body, "end" FROM definitions '
            "JOIN files ON files.id = definitions.file WHERE name = ? ORDER BY path, start",
            (name,),
        )
        return [Place(*row) for row in rows]

    def uses(self, name: str) -> dict[str, list[int]]:
        """The lines of each file on which a name is used, imported or defined; comments and strings do not count."""
        rows = self._connection.execute(
            "SELECT path, lines FROM uses JOIN files ON files.id = uses.file WHERE name = ? ORDER BY path",
            (name,),
        )
        return {path: [int(line) for line in lines.split()] for path, lines in rows}

    def mentions(self, name: str) -> list[str]:
        """The files that may hold a name anywhere, in comments and strings too; some of them may only seem to."""
        query = " AND ".join(f'"{word}"' for word in parts(name).split())
        if not query:  # such as `_`
            return self.files()
        rows = self._connection.execute(
            "SELECT DISTINCT files.path FROM words JOIN units ON units.id = words.rowid "
            "JOIN files ON files.id = units.file WHERE words MATCH ? ORDER BY files.path",
            (f"text: ({query})",),
        )
        return [path for (path,) in rows]

    def files(self) -> list[str]:
        """Every file in the index, sorted."""
        return [path for (path,) in self._connection.execute("SELECT path FROM files ORDER BY path")]

    def add(self, path: str, text: str) -> None:
        """Take up a text that stands in no file of the workspace, for a search in it alone."""
        with self._writing():
            self._replace(_Read(path, 0, 0, hashlib.sha256(text.encode()).hexdigest(), text))

    def _connect(self) -> sqlite3.Connection:
        try:
            return _connected(self._database)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or self._database is None:
                raise
            _remove(self._database)
            return _connected(self._database)

    def _refresh(self, on_progress: Callable[[int, int], None]) -> Refreshed:
        started = time.perf_counter()
        known = self._known()
        paths = list(self._workspace.files(self._workspace.root, suffixes()))
        waiting: list[_Read] = []
        num_read = 0
        for i, path in enumerate(paths):
            found = self._changed(path, known.pop(self._workspace.relative(path), None))
            if found is not None:
                waiting.append(found)
            if len(waiting) >= FLUSH or (waiting and i == len(paths) - 1):
                num_read += self._write(waiting)
                waiting.clear()
                on_progress(i + 1, len(paths))
        if waiting:
            num_read += self._write(waiting)
        if known:
            with self._writing():
                self._forget(known)
        return Refreshed(self._count(), num_read, len(known), time.perf_counter() - started)

    def _count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM files").fetchone()[0])

    def _known(self) -> dict[str, tuple[int, int, str]]:
        rows = self._connection.execute("SELECT path, mtime, size, sha256 FROM files")
        return {path: (mtime, size, sha256) for path, mtime, size, sha256 in rows}

    def _changed(self, path: Path, known: tuple[int, int, str] | None) -> "_Read | None":
        """The file as it is now, if it may be another than the index knows."""
        try:
            path.as_posix().encode()  # SQLite takes no other names
            status = path.lstat()
            if known is not None and known[:2] == (status.st_mtime_ns, status.st_size):
                return None
            now = time.time_ns()
            source = SourceFile.read(self._workspace, path)
        except UnicodeEncodeError:
            return None
        except (OSError, TargetError):
            return _Read(self._workspace.relative(path), 0, 0, "", "") if known is not None else None
        settled = now - status.st_mtime_ns > _UNSETTLED_NS
        return _Read(
            source.name,
            status.st_mtime_ns if settled else 0,
            status.st_size,
            source.sha256,
            "" if known is not None and known[2] == source.sha256 else source.text,
        )

    def _write(self, files: Iterable["_Read"]) -> int:
        """Write files in one transaction; how many of them had another text than the index knew."""
        num_read = 0
        with self._writing():
            for file in files:
                row = self._connection.execute(
                    "SELECT sha256 FROM files WHERE path = ?", (file.path,)
                ).fetchone()
                if row is not None and row[0] == file.sha256:
                    # Its time is another and its text is not, or another process was quicker.
                    self._connection.execute(
                        "UPDATE files SET mtime = ?, size = ? WHERE path = ?",
                        (file.mtime, file.size, file.path),
                    )
                elif not file.sha256:
                    self._forget([file.path])
                else:
                    self._replace(file)
                    num_read += 1
        return num_read

    def _replace(self, file: "_Read") -> None:
        self._forget([file.path])
        execute = self._connection.execute
        number = execute(
            "INSERT INTO files(path, mtime, size, sha256) VALUES(?, ?, ?, ?)",
            (file.path, file.mtime, file.size, file.sha256),
        ).lastrowid
        found = symbols.read(file.text, language_of(file.path))
        many = self._connection.executemany
        many(
            "INSERT INTO definitions VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (number, d.name, d.symbol, d.kind, d.start, d.body, d.end, d.is_outermost)
                for d in found.definitions
            ],
        )
        many(
            "INSERT INTO uses VALUES(?, ?, ?)",
            [(name, number, " ".join(map(str, lines))) for name, lines in found.references.items()],
        )
        execute("INSERT INTO names VALUES(?, ?)", (number, "\n".join(found.references)))
        lines = file.text.split("\n")
        path_words = searchable(file.path.rpartition(".")[0])
        for symbol, start, end in units_of(lines, found.definitions):
            unit = execute(
                'INSERT INTO units(file, symbol, start, "end") VALUES(?, ?, ?, ?)',
                (number, symbol, start, end),
            ).lastrowid
            execute(
                "INSERT INTO words(rowid, symbol, path, text) VALUES(?, ?, ?, ?)",
                (
                    unit,
                    " ".join(map(parts, symbol.split("."))),
                    path_words,
                    searchable("\n".join(lines[start:end])),
                ),
            )

    def _forget(self, paths: Iterable[str]) -> None:
        for path in paths:
            row = self._connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
            if row is None:
                continue
            execute, (number,) = self._connection.execute, row
            names = execute("SELECT names FROM names WHERE file = ?", (number,)).fetchone()
            self._connection.executemany(
                "DELETE FROM uses WHERE name = ? AND file = ?",
                [(name, number) for name in names[0].split("\n")],
            )
            execute("DELETE FROM words WHERE rowid IN (SELECT id FROM units WHERE file = ?)", (number,))
            for table in ("definitions", "names", "units"):
                execute(f"DELETE FROM {table} WHERE file = ?", (number,))
            execute("DELETE FROM files WHERE id = ?", (number,))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read; without a hash it is there and cannot be read."""

    path: str
    mtime: int
    """Nanoseconds; 0 where the file may still be changing within one tick."""
    size: int
    sha256: str
    text: str


def database_of(workspace: Workspace) -> Path:
    """Where the index of a workspace lies."""
    readable = hashlib.sha256(repr(suffixes()).encode()).hexdigest()[:8]
    root = hashlib.sha256(str(workspace.root).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return user_folder("cache") / "index" / f"{root}-{VERSION}-{readable}.sqlite"


def units_of(
    lines: Sequence[str], definitions: Sequence[symbols.Definition]
) -> Iterator[tuple[str, int, int]]:
    """Symbol, first line and line after the last of each outermost function, and of what stands between."""
    position = 0
    for d in sorted(definitions, key=lambda d: (d.start, -d.end)):
        if d.kind != "function" or not d.is_outermost or d.start < position:
            continue
        yield from _run(lines, position, d.start)
        yield d.symbol, d.start, d.end
        position = d.end
    yield from _run(lines, position, len(lines))


def _run(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[str, int, int]]:
    while start < end and not lines[start].strip():
        start += 1
    while start < end and not lines[end - 1].strip():
        end -= 1
    if start < end:
        yield "", start, end


def _connected(database: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(database or ":memory:", timeout=PATIENCE_S, isolation_level=None)
    with suppress(sqlite3.OperationalError):
        # Where a file system cannot share memory, readers wait for writers instead.
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    with closing(connection.cursor()) as cursor:
        cursor.executescript(_TABLES)
    return connection


def _remove(database: Path) -> None:
    for name in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
        name.unlink(missing_ok=True)
