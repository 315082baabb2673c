import os
import subprocess
from pathlib import Path

import pytest

from seedcli.errors import TargetError
from seedcli.repository.workspace import Workspace


def _write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n")


def _names(workspace: Workspace, folder: Path | None = None) -> list[str]:
    return [workspace.relative(path) for path in workspace.files(folder or workspace.root)]


def test_the_root_is_the_git_top_level(git_root: Path) -> None:
    (git_root / "a" / "b").mkdir(parents=True)
    assert Workspace.discover(git_root / "a" / "b") == Workspace(git_root, is_git=True)


def test_outside_git_the_start_folder_is_the_root(tmp_path: Path) -> None:
    assert Workspace.discover(tmp_path) == Workspace(tmp_path.resolve(), is_git=False)


@pytest.mark.parametrize("make", ["bare", "broken file", "empty folder"])
def test_git_without_a_work_tree_is_a_plain_folder(tmp_path: Path, make: str) -> None:
    if make == "bare":
        subprocess.run(["git", "init", "-q", "--bare", tmp_path], check=True)
    elif make == "broken file":
        (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    else:
        (tmp_path / ".git").mkdir()
    _write(tmp_path, "a.py")
    workspace = Workspace.discover(tmp_path)
    assert workspace == Workspace(tmp_path.resolve(), is_git=False)
    assert _names(workspace) == ["a.py"]


def test_a_start_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="nowhere"):
        Workspace.discover(tmp_path / "nowhere")


def test_resolve_follows_links_inside(workspace: Workspace) -> None:
    _write(workspace.root, "real.py")
    (workspace.root / "link.py").symlink_to("real.py")
    assert workspace.resolve("link.py", relative_to=workspace.root) == workspace.root / "real.py"


def test_resolve_goes_by_the_current_folder(workspace: Workspace) -> None:
    _write(workspace.root, "a.py", "sub/b.py")
    assert workspace.resolve("../a.py", relative_to=workspace.root / "sub") == workspace.root / "a.py"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.py", "does not exist"),
        ("utlis.py", "did you mean utils.py"),
        ("nowhere/a.py", "does not exist"),
        ("utils.py/a.py", "utils.py/a.py"),
        ("../outside.py", "outside"),
        ("/etc/passwd", "outside"),
        (".git/config", "inside .git"),
        ("dangling.py", "to nowhere"),
        ("loop.py", "leads to itself|[Ll]oop|Too many"),
        ("escape.py", "outside"),
        ("pipe", "pipe"),
        ("nested/a.py", "another repository"),
        ("", "not a file name"),
        ("a\0b", "not a file name"),
    ],
)
def test_what_resolve_refuses(workspace: Workspace, name: str, words: str) -> None:
    root = workspace.root
    _write(root, "utils.py", "nested/a.py")
    _write(root.parent, "outside.py")
    subprocess.run(["git", "init", "-q", root / "nested"], check=True)
    (root / "dangling.py").symlink_to("gone.py")
    (root / "loop.py").symlink_to("loop.py")
    (root / "escape.py").symlink_to("../outside.py")
    os.mkfifo(root / "pipe")
    with pytest.raises(TargetError, match=words) as caught:
        workspace.resolve(name, relative_to=root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py",
        "/etc/passwd",
        "a/../b.py",
        "./a.py",
        "a//b.py",
        "",
        ".git/hooks/x",
        "sub/.GIT/x",
        "nested/new.py",
        "dangling.py",
        "dangling/new.py",
        "escape/new.py",
        "nested/.git",
    ],
)
def test_what_locate_refuses(workspace: Workspace, path: str) -> None:
    root = workspace.root
    _write(root, "nested/a.py")
    subprocess.run(["git", "init", "-q", root / "nested"], check=True)
    (root / "dangling.py").symlink_to("gone.py")
    (root / "dangling").symlink_to("gone")
    (root / "escape").symlink_to("..")
    with pytest.raises(TargetError):
        workspace.locate(path)


def test_locate_gives_places_for_new_files(workspace: Workspace) -> None:
    (workspace.root / "real").mkdir()
    (workspace.root / "link").symlink_to("real")
    assert workspace.locate("new/deep/a.py") == workspace.root / "new/deep/a.py"
    assert workspace.locate("link/a.py") == workspace.root / "real/a.py"


def test_a_submodule_is_another_repository(workspace: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    subprocess.run([*git, "init", "-q", other], check=True)
    _write(other, "inner.py")
    subprocess.run([*git, "add", "-A"], cwd=other, check=True)
    subprocess.run([*git, "commit", "-qm", "inner"], cwd=other, check=True)
    subprocess.run([*git, "submodule", "--quiet", "add", str(other), "sub"], cwd=workspace.root, check=True)
    _write(workspace.root, "a.py")
    assert _names(workspace) == ["a.py"]
    with pytest.raises(TargetError, match="another repository"):
        workspace.resolve("sub/inner.py", relative_to=workspace.root)
    assert Workspace.discover(workspace.root / "sub").root == workspace.root / "sub"


@pytest.mark.parametrize("is_git", [True, False])
def test_files_leaves_out_what_may_not_be_edited(git_root: Path, is_git: bool) -> None:
    _write(
        git_root,
        "b.py",
        "a/z.py",
        "a/kept.pyi",
        "a/data.txt",
        "build/made.py",
        "a/generated_pb2.py",
        "a/keep_pb2.py",
        "private.py",
        ".env.py",
        "venv/lib/x.py",
        "node_modules/x.py",
        "deep/x/tmp_a.py",
        "Ünï cödé.py",
        "[x]/y.py",
        "x/n.py",
    )
    (git_root / "venv/pyvenv.cfg").touch()
    (git_root / ".gitignore").write_text("build/\n*_pb2.py\n!keep_pb2.py\n")
    (git_root / "deep/.gitignore").write_text("tmp_*\n")
    (git_root / ".seedignore").write_text("/private.py\n")
    (git_root / "link.py").symlink_to("b.py")
    (git_root / "loop").symlink_to(".")
    workspace = Workspace(git_root, is_git=is_git)
    assert _names(workspace) == [
        "[x]/y.py",
        "a/keep_pb2.py",
        "a/kept.pyi",
        "a/z.py",
        "b.py",
        "x/n.py",
        "Ünï cödé.py",
    ]
    assert _names(workspace, git_root / "[x]") == ["[x]/y.py"]
    assert _names(workspace, git_root / "a") == ["a/keep_pb2.py", "a/kept.pyi", "a/z.py"]


def test_a_tracked_file_is_not_ignored(workspace: Workspace) -> None:
    _write(workspace.root, "tracked.py", "untracked.py")
    (workspace.root / ".gitignore").write_text("*tracked.py\n")
    subprocess.run(["git", "add", "-f", "tracked.py"], cwd=workspace.root, check=True)
    assert not workspace.is_ignored(workspace.root / "tracked.py")
    assert workspace.is_ignored(workspace.root / "untracked.py")
    assert _names(workspace) == ["tracked.py"]


@pytest.mark.parametrize("is_git", [True, False])
def test_is_ignored_reads_both_files(git_root: Path, is_git: bool) -> None:
    _write(git_root, "a.py", "b.py", "c.py", "out/d.py")
    (git_root / ".gitignore").write_text("a.py\nout/\n")
    (git_root / ".seedignore").write_text("b.py\n")
    workspace = Workspace(git_root, is_git=is_git)
    ignored = [
        name for name in ("a.py", "b.py", "c.py", "out/d.py", "out") if workspace.is_ignored(git_root / name)
    ]
    assert ignored == ["a.py", "b.py", "out/d.py", "out"]


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "server.pem", "id_rsa", "id_ed25519.pub", ".ssh/config", ".netrc"]
)
def test_secrets(workspace: Workspace, name: str) -> None:
    assert workspace.is_secret(workspace.root / name)


@pytest.mark.parametrize(
    "name", ["environment.py", "id_generator.py", "keys.py", "src/credentials.py", "a.py"]
)
def test_ordinary_names_are_no_secrets(workspace: Workspace, name: str) -> None:
    assert not workspace.is_secret(workspace.root / name)


def test_only_reads_git(workspace: Workspace) -> None:
    _write(workspace.root, "a.py")
    subprocess.run(["git", "add", "a.py"], cwd=workspace.root, check=True)
    before = {p: p.stat().st_mtime_ns for p in workspace.root.rglob("*")}
    workspace.is_ignored(workspace.root / "a.py")
    assert _names(workspace) == ["a.py"]
    assert {p: p.stat().st_mtime_ns for p in workspace.root.rglob("*")} == before


def test_works_without_a_git_executable(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(workspace.root, "a.py", "b.py")
    (workspace.root / ".gitignore").write_text("b.py\n")
    monkeypatch.setenv("PATH", "")
    assert Workspace.discover(workspace.root).is_git
    assert _names(workspace) == ["a.py"]
    assert workspace.is_ignored(workspace.root / "b.py")


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_file_that_goes_away_while_it_is_located_is_missing(
    git_root: Path, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    workspace = Workspace.discover(git_root)
    _write(git_root, "a.py")
    resolve = Path.resolve

    def resolve_late(path: Path, strict: bool = False) -> Path:
        resolved = resolve(path, strict)
        if strict:
            (git_root / "a.py").unlink()
        elif comes_back:
            _write(git_root, "a.py")
        return resolved

    monkeypatch.setattr(Path, "resolve", resolve_late)
    assert workspace.locate("a.py") == git_root / "a.py"
    _write(git_root, "a.py")
    with pytest.raises(TargetError, match=r"a\.py does not exist"):
        workspace.resolve("a.py", relative_to=git_root)
