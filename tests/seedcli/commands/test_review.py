"""`seed review`: any unified diff, applied or not, with the exit codes and JSON object of the contract."""

from pathlib import Path

import pytest

from seedcli.patches.patch import Patch, select
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, Seed, git


@pytest.fixture
def patch(repo: Path) -> bytes:
    """A diff of two hunks that is not applied."""
    path = repo / "calc.py"
    before = path.read_text()
    filler = "".join(f"x{i} = {i}\n" for i in range(20))
    path.write_text(before + filler)
    git(repo, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qam", "filler")
    path.write_text(ADD_FIXED + path.read_text().removeprefix(ADD).replace("x19 = 19", "x19 = 91"))
    diff = git(repo, "diff")
    git(repo, "stash", "-q")
    return diff


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """On a terminal: the hunks that the user accepts."""
    accepted: list[tuple[int, int]] = []
    monkeypatch.setattr("seedcli.delivering.is_terminal", lambda stream: True)
    monkeypatch.setattr("seedcli.reviewing.is_terminal", lambda stream: True)
    for module in ("seedcli.delivering", "seedcli.reviewing"):
        monkeypatch.setattr(
            f"{module}.ask", lambda patch, title, note, read, applied=False: select(patch, accepted)
        )
    return accepted


def test_without_a_terminal_the_diff_is_printed(repo: Path, seed: Seed, patch: bytes) -> None:
    result = seed("review", "-", stdin=patch)
    assert result.code == 1
    assert git(repo, "status", "--porcelain") == b""
    git(repo, "apply", "--check", stdin=result.out)
    assert seed("review", "--exit-zero", "-", stdin=patch).code == 0


def test_apply_writes_it(repo: Path, seed: Seed, patch: bytes) -> None:
    (repo / "fix.patch").write_bytes(patch)
    result = seed("review", "-y", "--json", "fix.patch")
    assert (result.code, result.json["outcome"]) == (0, "applied")
    assert result.json["files"] == [{"path": "calc.py", "hunks": 2, "added": 2, "removed": 2}]
    assert result.json["model"] == {"name": None, "revision": None}
    assert git(repo, "diff") == patch
    assert seed("undo").code == 0
    assert git(repo, "diff") == b""


def test_some_hunks(repo: Path, seed: Seed, patch: bytes, keep: list[tuple[int, int]]) -> None:
    keep.append((0, 1))
    assert seed("review", "-", stdin=patch).code == 1
    assert (repo / "calc.py").read_text().startswith(ADD)
    assert "x19 = 91" in (repo / "calc.py").read_text()


class TestAlreadyApplied:
    """Accepting keeps a hunk, rejecting takes it back."""

    @pytest.fixture
    def applied(self, repo: Path, patch: bytes) -> bytes:
        git(repo, "apply", stdin=patch)
        return patch

    @pytest.mark.parametrize("flags", [(), ("-y",), ("--json",), ("--diff",)])
    def test_without_review_it_is_left_as_it_is(
        self, repo: Path, seed: Seed, applied: bytes, flags: tuple[str, ...]
    ) -> None:
        result = seed("review", *flags, "-", stdin=applied)
        assert result.code == 0
        assert "already applied" in result.err
        assert git(repo, "diff") == applied
        assert seed("log").out == b""

    @pytest.mark.parametrize("flags", [(), ("-y",), ("--diff",)])
    @pytest.mark.parametrize("context", ["-U0", "-U3"])
    def test_lines_at_the_end_are_not_added_twice(
        self, repo: Path, seed: Seed, flags: tuple[str, ...], context: str, keep: list[tuple[int, int]]
    ) -> None:
        before = (repo / "calc.py").read_bytes()
        (repo / "calc.py").write_bytes(before + b"x = 1\n")
        diff = git(repo, "diff", context)
        if flags:
            result = seed("review", *flags, "-", stdin=diff)
            assert (result.code, "already applied; left as it is" in result.err) == (0, True)
            assert git(repo, "diff", context) == diff
        else:
            assert seed("review", "-", stdin=diff).code == 1
            assert (repo / "calc.py").read_bytes() == before

    def test_all_kept(self, repo: Path, seed: Seed, applied: bytes, keep: list[tuple[int, int]]) -> None:
        keep += [(0, 0), (0, 1)]
        assert seed("review", "-", stdin=applied).code == 0
        assert git(repo, "diff") == applied

    def test_one_reversed(self, repo: Path, seed: Seed, applied: bytes, keep: list[tuple[int, int]]) -> None:
        keep.append((0, 0))
        result = seed("review", "-", stdin=applied)
        assert result.code == 1
        assert "reversed: 1 file changed (+1 -1)" in result.err
        text = (repo / "calc.py").read_text()
        assert (text.startswith(ADD_FIXED), "x19 = 91" in text) == (True, False)
        assert seed("undo").code == 0
        assert git(repo, "diff") == applied

    def test_a_file_that_changes_meanwhile_is_left_alone(
        self, repo: Path, seed: Seed, applied: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def meddle(patch: Patch, title: str, note: str, read: object, applied: bool) -> Patch:
            assert callable(read)
            assert applied
            assert read("calc.py") == patch.files[0].old
            (repo / "calc.py").write_text("mine = 1\n")
            assert read("calc.py") == b"mine = 1\n"
            return select(patch, [(0, 0)])

        monkeypatch.setattr("seedcli.delivering.is_terminal", lambda stream: True)
        monkeypatch.setattr("seedcli.reviewing.is_terminal", lambda stream: True)
        monkeypatch.setattr("seedcli.reviewing.ask", meddle)
        result = seed("review", "-", stdin=applied)
        assert (result.code, result.err.count("\n")) == (4, 1)
        assert (repo / "calc.py").read_text() == "mine = 1\n"


def test_a_new_and_a_deleted_file(repo: Path, seed: Seed) -> None:
    (repo / "new.py").write_text("x = 1\n")
    (repo / "calc.py").unlink()
    git(repo, "add", "-A")
    diff = git(repo, "diff", "--cached")
    git(repo, "reset", "-q", "--hard")
    assert seed("review", "-y", "-", stdin=diff).code == 0
    assert (repo / "new.py").read_text() == "x = 1\n"
    assert not (repo / "calc.py").exists()
    assert seed("undo").code == 0
    assert git(repo, "status", "--porcelain") == b""


def test_names_below_the_folder_of_the_user(repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "sub").mkdir()
    (repo / "sub/calc.py").write_text("x = 1\n")
    git(repo, "add", "-A")
    (repo / "sub/calc.py").write_text("x = 2\n")
    monkeypatch.chdir(repo / "sub")
    whole, relative = git(repo / "sub", "diff"), git(repo / "sub", "diff", "--relative")
    assert whole != relative
    git(repo, "checkout", "-q", "--", ".")
    for diff in (whole, relative):  # calc.py is there from the root as well, and does not fit
        assert seed("review", "-y", "-", stdin=diff).code == 0
        assert (repo / "sub/calc.py").read_text() == "x = 2\n"
        assert (repo / "calc.py").read_text().startswith(ADD)
        assert seed("undo").code == 0
    assert seed("review", "-y", "-", stdin=relative.replace(b"x = 1", b"y = 1")).code == 2


def test_modes_are_told_and_left(repo: Path, seed: Seed) -> None:
    (repo / "new.sh").write_text("true\n")
    (repo / "new.sh").chmod(0o755)
    git(repo, "add", "-A")
    new = git(repo, "diff", "--cached")
    git(repo, "rm", "-qf", "new.sh")
    (repo / "calc.py").chmod(0o755)
    mode = git(repo, "diff")
    result = seed("review", "-y", "-", stdin=mode)
    assert (result.code, result.err) == (
        2,
        "seed: the patch changes no line of calc.py, only its mode; chmod does that\n",
    )
    result = seed("review", "-y", "-", stdin=mode + new)
    assert result.code == 0
    assert "seed: calc.py: its mode 100755 is not set; chmod does that\n" in result.err
    assert "seed: new.sh: its mode 100755 is not set; chmod does that\n" in result.err
    assert (repo / "new.sh").stat().st_mode & 0o777 == 0o644
    result = seed("review", "-y", "-", stdin=b"--- a/calc.py\n+++ b/calc.py\n")
    assert (result.code, "no @@ lines for calc.py" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", 0, "the patch is empty"),
        (b"\n\n", 0, "the patch is empty"),
        (b"hello\n", 2, "no unified diff"),
        (b"\x00\xff\n", 2, "no unified diff"),
        (b"--- a/calc.py\n+++ b/calc.py\n@@ -1,9 +1,9 @@\n-x\n", 2, ""),
        (b"--- a/absent.py\n+++ b/absent.py\n@@ -1 +1 @@\n-x\n+y\n", 2, "absent.py"),
    ],
)
def test_what_is_no_patch_is_refused_in_one_line(
    repo: Path, seed: Seed, data: bytes, code: int, words: str
) -> None:
    result = seed("review", "-y", "-", stdin=data)
    assert (result.code, result.out, result.err.count("\n")) == (code, b"", 1)
    assert words in result.err
    assert git(repo, "status", "--porcelain") == b""


@pytest.mark.parametrize("flags", [(), ("-y",), ("--diff",), ("--json",)])
def test_two_commits_to_one_file_are_refused_before_anything_is_shown(
    repo: Path, seed: Seed, flags: tuple[str, ...]
) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    for old, new in (("return a - b", "return a + b"), ("def sub", "def minus")):
        (repo / "calc.py").write_text((repo / "calc.py").read_text().replace(old, new))
        git(repo, *who, "commit", "-qam", "change")
    diff = git(repo, "format-patch", "--stdout", "HEAD~2")
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    result = seed("review", *flags, "-", stdin=diff)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "the patch names calc.py twice; merge both parts" in result.err
    assert "git diff OLDEST~ NEWEST" in result.err
    assert b"@@" not in result.out
    assert git(repo, "status", "--porcelain") == b""


@pytest.mark.parametrize("name", ["absent.patch", "."])
def test_a_patch_file_that_cannot_be_read(repo: Path, seed: Seed, name: str) -> None:
    result = seed("review", name)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert repr(name) in result.err
