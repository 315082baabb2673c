"""What is on disk is what is found: after changes, kills and rot, and with several processes at once."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedcli.index.store import Store, database_of
from seedcli.index.words import query_terms
from seedcli.repository.workspace import Workspace

Write = Callable[[dict[str, str]], None]
ALL = (1.0, 1.0, 1.0)


def found(store: Store, text: str) -> list[tuple[str, str]]:
    return [(unit.path, unit.symbol) for unit, _ in store.search(query_terms(text), ALL, 10)]


def age(workspace: Workspace, *names: str) -> None:
    """Let files be old enough that their time can be relied on."""
    for name in names:
        os.utime(workspace.root / name, (1_000_000_000, 1_000_000_000))


def test_only_what_changed_is_read_again(workspace: Workspace, write: Write, store: Store) -> None:
    write({"a.py": "def load(path):\n    return path\n", "b.js": "function save(x) { return load(x) }\n"})
    age(workspace, "a.py", "b.js")
    assert (store.refresh().read, store.refresh().read) == (2, 0)
    assert [p.symbol for p in store.definitions("load")] == ["load"]
    assert store.uses("load") == {"a.py": [0], "b.js": [0]}

    write({"a.py": "def store(path):\n    return path\n"})
    (workspace.root / "b.js").unlink()
    done = store.refresh()
    assert (done.read, done.removed, done.files) == (1, 1, 1)
    assert store.definitions("load") == []
    assert store.uses("load") == {}
    assert found(store, "save") == []
    assert found(store, "store the path") == [("a.py", "store")]


def test_a_new_time_alone_is_noted_and_a_new_text_at_the_same_time_is_seen(
    workspace: Workspace, write: Write, store: Store
) -> None:
    write({"a.py": "def load(path):\n    return 1\n"})
    store.refresh()
    age(workspace, "a.py")
    assert store.refresh().read == 0  # the same text
    write({"a.py": "def load(path):\n    return 2\n"})
    store.refresh()
    status = (workspace.root / "a.py").stat()
    write({"a.py": "def moad(path):\n    return 2\n"})
    os.utime(workspace.root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    # Both texts were written within one tick, as far as the clock of the file system tells.
    assert store.refresh().read == 1
    assert len(store.definitions("moad")) == 1


UNITS = """import os


def f():
    def g(): pass


class A:
    x = 1

    def m(self):
        pass
"""


def test_units_are_functions_and_what_stands_between(
    workspace: Workspace, write: Write, store: Store
) -> None:
    write({"a.py": UNITS})
    store.refresh()
    units = [(unit.symbol, unit.start, unit.end) for unit in store.units("a.py")]
    assert units == [("", 0, 1), ("f", 3, 5), ("", 7, 9), ("A.m", 10, 12)]


def test_what_cannot_be_read_is_left_out_and_dropped(
    workspace: Workspace, write: Write, store: Store
) -> None:
    write({"a.py": "def load(): pass\n", ".env.py": "secret = 1\n"})
    (workspace.root / "b.py").write_bytes(b"x = '\xff'\n")
    assert store.refresh().files == 1
    (workspace.root / "a.py").write_bytes(b"x = '\xff'\n")
    assert store.refresh().files == 0
    assert store.definitions("load") == []


def test_a_name_that_is_not_utf_8_stops_no_other(workspace: Workspace, write: Write, store: Store) -> None:
    write({"a.py": "def f(): pass\n"})
    (workspace.root / os.fsdecode(b"b\xff.py")).write_text("x = 1\n")
    store.refresh()
    assert store.files() == ["a.py"]


def test_a_damaged_index_is_made_anew(workspace: Workspace, write: Write) -> None:
    write({"a.py": "def load(): pass\n"})
    database = database_of(workspace)
    database.parent.mkdir(parents=True)
    database.write_bytes(b"no database" * 1000)
    store = Store.open(workspace)
    store.refresh()
    assert len(store.definitions("load")) == 1
    store.close()

    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    store = Store.open(workspace)
    age(workspace, "a.py")
    store.refresh()
    assert len(store.definitions("load")) == 1
    store.close()


def test_a_cache_that_cannot_be_written_is_done_without(
    workspace: Workspace, write: Write, cache: Path
) -> None:
    write({"a.py": "def load(): pass\n"})
    cache.write_text("a file where the folder should be")
    store = Store.open(workspace)
    assert store.refresh().read == 1
    store.close()


def test_a_cache_that_becomes_full_is_done_without(workspace: Workspace, write: Write) -> None:
    store = Store.open(workspace)
    write({f"{i}.py": f"def load_{i}(path):\n    return {'x' * 4000}\n" for i in range(30)})
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        assert store.refresh().files == 30
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [place.path for place in store.definitions("load_29")] == ["29.py"]
    store.close()
    assert Store.open(workspace).files() == []


def test_nothing_is_written_into_the_workspace(workspace: Workspace, write: Write, store: Store) -> None:
    write({"a.py": "x = 1\n"})
    store.refresh()
    assert [path.name for path in workspace.root.rglob("*")] == ["a.py"]


def test_a_refresh_that_fails_leaves_the_index_as_it_was(
    workspace: Workspace, write: Write, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"a.py": "def load(): pass\n"})
    store.refresh()
    write({"a.py": "def store(): pass\n"})
    with monkeypatch.context() as patched:
        patched.setattr("seedcli.index.store.units_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.refresh()
    assert len(store.definitions("load")) == 1
    store.refresh()
    assert len(store.definitions("store")) == 1


REFRESH = """
import sys
from pathlib import Path
from seedcli.index.store import Store
from seedcli.repository.workspace import Workspace
store = Store.open(Workspace(Path(sys.argv[1]), is_git=False))
for _ in range(3):
    print(store.refresh().files)
"""


def test_two_processes_at_once(workspace: Workspace, write: Write) -> None:
    count = 450  # more than are written in one transaction
    write({f"m{i}.py": f"def f{i}():\n    return g{i % 7}\n" for i in range(count)})
    running = [
        subprocess.Popen(
            [sys.executable, "-c", REFRESH, str(workspace.root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert out.split() == [str(count)] * 3
    with sqlite3.connect(database_of(workspace)) as connection:
        for table in ("files", "definitions", "units", "words", "names"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
