"""Bad input: one line on stderr that names the value and the cure, the right exit code, nothing lost."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.requests import EditRequest
from seedcli.model_client import ScriptedModel
from seedcli.patches.patch import Patch
from tests.seedcli.commands.conftest import ADD, Result, Seed, git
from tests.seedcli.commands.scripted import replacing

HERE = Path(__file__).parents[3]


def contents(root: Path) -> dict[str, bytes]:
    """Every file of the work tree."""
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def assert_refused(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result.err
    assert result.out == b""
    assert result.err.count("\n") == 1, result.err
    for word in words:
        assert word in result.err


def test_numbers_and_names_that_are_too_long(repo: Path, seed: Seed) -> None:
    assert_refused(seed("edit", "fix", "calc.py:" + "9" * 5000), 2, "calc.py:999")
    assert_refused(seed("edit", "--new", "x" * 300 + ".py", "fix", "calc.py"), 2, "xxx")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("edit", "--threshold", "much", "fix", "calc.py"), "'--threshold': Input should be a valid number"),
        (("edit", "-n", "2.5", "fix", "calc.py"), "not '2.5'"),
        (("scan", "--limit", "-3", "."), "not '-3'"),
        (("scan", "--format", "much", "."), "'much' is not one of"),
    ],
)
def test_a_flag_with_a_wrong_value_names_both(
    repo: Path, seed: Seed, arguments: tuple[str, ...], words: str
) -> None:
    result = seed(*arguments)
    assert (result.code, result.out) == (2, b"")
    assert words in result.err
    assert result.err.count(arguments[2]) == 1


@pytest.fixture
def odd_files(repo: Path) -> Path:
    """A repository with files that cannot be edited."""
    (repo / "image.py").write_bytes(b"\x89PNG\r\n\x00\x00")
    (repo / "latin.py").write_bytes("# größe\nx = 1\n".encode("latin-1"))
    (repo / "mac.py").write_bytes(b'def f():\r    print("a")\r    return 1\r')
    (repo / "docs").mkdir()
    (repo / "docs" / "notes.txt").write_text("hello\n")
    (repo / "loop.py").symlink_to("loop.py")
    (repo / "nowhere.py").symlink_to("absent.py")
    (repo / "outside.py").symlink_to("/etc/hostname")
    os.mkfifo(repo / "pipe.py")
    return repo


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("clac.py", ("clac.py does not exist", "did you mean calc.py")),
        ("calc.py:add", ("calc.py:add does not exist", "calc.py::add", "calc.py:START-END")),
        ("docs", ("docs holds no Python code",)),
        ("image.py", ("image.py", "binary")),
        ("latin.py", ("latin.py is not utf-8: byte 0xf6 in line 1",)),
        ("mac.py", ("mac.py ends its lines with carriage returns alone",)),
        ("mac.py:1-2", ("mac.py ends its lines with carriage returns alone",)),
        ("calc.py::ad", ("calc.py has no 'ad'", "did you mean add")),
        ("calc.py:90-95", ("calc.py has", "90-95")),
        ("calc.py:5-2", ("calc.py:5-2",)),
        ("../repo/../secret.py", ("secret.py",)),
        ("/etc/hostname", ("outside",)),
        ("outside.py", ("outside",)),
        (".git/config", (".git",)),
        ("loop.py", ("loop.py",)),
        ("nowhere.py", ("nowhere.py", "link")),
        ("pipe.py", ("pipe.py", "regular file")),
        ("", ("''",)),
        ("a\nb.py", ("does not exist",)),
    ],
)
@pytest.mark.parametrize("flags", [(), ("-y",)])
def test_targets(odd_files: Path, seed: Seed, target: str, words: tuple[str, ...], flags: tuple[str]) -> None:
    before = git(odd_files, "status", "--porcelain")
    assert_refused(seed("edit", *flags, "fix the bug", target), 2, *words)
    assert git(odd_files, "status", "--porcelain") == before


def test_one_bad_target_stops_all(repo: Path, seed: Seed) -> None:
    before = contents(repo)
    assert_refused(seed("edit", "-y", "fix the bug", "calc.py", "clac.py"), 2, "clac.py")
    assert contents(repo) == before


def test_an_empty_instruction(repo: Path, seed: Seed) -> None:
    assert_refused(seed("edit", " ", "calc.py"), 2, "the instruction is empty")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("fix caf\udce9",), "is not UTF-8"),
        (("--recipe", "rename", "old=\udcff", "new=b"), "is no name that Python code can have"),
    ],
)
def test_an_instruction_that_is_not_utf8(repo: Path, seed: Seed, words: tuple[str, ...], why: str) -> None:
    assert_refused(seed("edit", *words, "calc.py"), 2, why)


def test_an_empty_file_has_nothing_to_change(repo: Path, seed: Seed) -> None:
    (repo / "empty.py").write_text("")
    result = seed("edit", "fix the bug", "empty.py")
    assert (result.code, result.out, result.err) == (0, b"", "seed: there is no code in the targets\n")


def test_a_broken_configuration_key(repo: Path, seed: Seed) -> None:
    (repo / "seed.toml").write_text("treshold = 0.5\n")
    assert_refused(seed("edit", "-y", "fix the bug", "calc.py"), 2, "seed.toml", "treshold", "'threshold'")
    assert (repo / "calc.py").read_text().startswith(ADD)


@pytest.mark.parametrize("name", ["nosuch", "./nosuch", "calc.py"])
def test_a_model_that_is_not_there(repo: Path, seed: Seed, name: str) -> None:
    before = contents(repo)
    result = seed("edit", "-y", "--model", name, "fix the bug", "calc.py", model=None)
    assert_refused(result, 3, f"no model {name!r}", "seed models")
    assert contents(repo) == before


@pytest.mark.parametrize("config", [None, "", "{}", '{"model_type": "other"}'])
def test_a_bad_model_folder(repo: Path, seed: Seed, config: str | None) -> None:
    folder = repo / "some-model"
    folder.mkdir()
    if config is not None:
        pytest.importorskip("engine.editor")
        (folder / "config.json").write_text(config)
    result = seed("edit", "-y", "--model", "./some-model", "fix the bug", "calc.py", model=None)
    assert_refused(result, 3, "some-model")
    assert (repo / "calc.py").read_text().startswith(ADD)


class TestWriting:
    """A file that cannot be written: exit code 4, every file as before."""

    def test_a_read_only_file_is_respected_even_by_root(self, repo: Path, seed: Seed) -> None:
        (repo / "other.py").write_text(ADD)
        (repo / "calc.py").chmod(0o444)
        before = contents(repo)
        assert_refused(seed("edit", "-y", "fix the bug", "calc.py", "other.py"), 4, "calc.py", "chmod")
        assert contents(repo) == before

    def test_a_file_that_changed_during_review(
        self, repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def meddle(patch: Patch, title: str, note: str, read: object) -> Patch:
            (repo / "calc.py").write_text("mine = 1\n")
            return patch

        monkeypatch.setattr("seedcli.delivering.is_terminal", lambda stream: True)
        monkeypatch.setattr("seedcli.delivering.ask", meddle)
        assert_refused(seed("edit", "fix the bug", "calc.py"), 4, "calc.py")
        assert (repo / "calc.py").read_text() == "mine = 1\n"

    def test_a_file_that_was_deleted_meanwhile(self, repo: Path, seed: Seed) -> None:
        def answer(request: EditRequest) -> str | None:
            (repo / "calc.py").unlink(missing_ok=True)
            return replacing({"a - b": "a + b"})(request)

        result = seed("edit", "-y", "fix the bug", "calc.py", model=ScriptedModel(answer))
        assert_refused(result, 4, "calc.py")
        assert not (repo / "calc.py").exists()

    def test_undo_of_a_file_that_was_changed_since(self, repo: Path, seed: Seed) -> None:
        (repo / "other.py").write_text(ADD)
        assert seed("edit", "-y", "fix the bug", "calc.py", "other.py").code == 0
        (repo / "other.py").write_text("mine = 1\n")
        before = contents(repo)
        assert_refused(seed("undo"), 4, "other.py has changed since the run; put it back as the run left it")
        assert contents(repo) == before

    def test_nothing_to_undo_or_redo(self, repo: Path, seed: Seed) -> None:
        assert_refused(seed("undo"), 2, "nothing to undo")
        assert_refused(seed("redo"), 2, "nothing to redo")
        assert_refused(seed("undo", "99"), 2, "'99'")


class TestDiskFull:
    """A file system without room, as a small tmpfs; needs the right to mount one."""

    @pytest.fixture
    def small(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        folder = tmp_path / "small"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no right to mount a tmpfs")
        try:
            monkeypatch.chdir(folder)
            yield folder
        finally:
            monkeypatch.undo()
            subprocess.run(["umount", str(folder)], check=True)

    def test_no_room_for_the_files(self, small: Path, seed: Seed) -> None:
        for i in range(4):
            (small / f"m{i}.py").write_text(ADD + "# " + "x" * 9000 + "\n")
        fill(small)
        before = contents(small)
        assert_refused(seed("edit", "-y", "fix the bug", "."), 4, "No space left on device")
        assert contents(small) == before
        assert seed("log").out == b""

    def test_no_room_for_the_journal(self, small: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
        root = small.parent / "repo"
        root.mkdir()
        (root / "calc.py").write_text(ADD)
        monkeypatch.setenv("SEED_STATE_DIR", str(small))
        fill(small)
        monkeypatch.chdir(root)
        assert_refused(seed("edit", "-y", "fix the bug", "calc.py"), 4, "No space left on device")
        assert (root / "calc.py").read_text() == ADD


def fill(folder: Path) -> None:
    """Leave no room at all."""
    with (folder / "ballast.bin").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            pass


def test_two_runs_at_once(repo: Path, tmp_path: Path) -> None:
    """Both have read the file; one writes, the other is told, and neither edit is mixed with the other."""
    processes = []
    for number, script in enumerate(({"a - b": "a * b"}, {"a - b": "a + b"})):
        env = os.environ | {
            "PYTHONPATH": str(HERE),
            "SCRIPT": json.dumps(script),
            "WAIT_FOR": str(tmp_path / "go"),
            "ASKED": str(tmp_path / f"asked{number}"),
        }
        command = [sys.executable, "-m", "tests.seedcli.commands.scripted", "edit", "-y", "fix", "calc.py"]
        processes.append(subprocess.Popen(command, cwd=repo, env=env, stderr=subprocess.PIPE, text=True))
    try:
        while not all((tmp_path / f"asked{number}").exists() for number in (0, 1)):
            assert all(process.poll() is None for process in processes)
            time.sleep(0.01)
        (tmp_path / "go").touch()
        errors = [process.communicate(timeout=30)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 4], errors
    winner = codes.index(0)
    assert ("a * b", "a + b")[winner] in (repo / "calc.py").read_text()
    assert errors[1 - winner].count("\n") == 1
