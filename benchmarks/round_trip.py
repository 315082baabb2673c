"""Edit every file of real trees, undo, and see that no byte is lost.

Files are edited in random regions, a random part of the hunks is accepted and written as runs of a journal, and each
run is undone. Checked on the way: bytes outside accepted hunks are identical; the rendered patch reads back as itself;
files of no accepted hunk are untouched; after undo the whole tree (bytes, modes, links) is as it was. Copies with CRLF,
a byte order mark, tabs, Latin-1, mixed endings, no final newline, binary content and links are added to each tree.

    python benchmarks/round_trip.py FOLDER|GIT_DIR... [--rounds N] [--seed N] [--output RESULT.json]
"""

import argparse
import io
import json
import os
import platform
import random
import shlex
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from seedcli.errors import TargetError
from seedcli.patches.apply import apply_patch
from seedcli.patches.journal import Journal
from seedcli.patches.patch import FilePatch, Patch, file_patch, render, select
from seedcli.patches.reading import read_patch
from seedcli.repository.regions import Region, regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace

FILES_PER_RUN = 40

Tree = dict[str, tuple[int, bytes | str]]
"""Every file and link of a tree: its mode, and its bytes or where it leads."""


@dataclass
class Result:
    """What happened to one tree."""

    name: str
    commit: str
    files: int = 0
    odd_files: int = 0
    edited: int = 0
    hunks_offered: int = 0
    hunks_accepted: int = 0
    runs_undone: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """Files that may not be edited, by reason; they are checked to stay as they are, too."""
    seconds: float = 0.0


def round_trip(root: Path, name: str, commit: str, rounds: int, state: Path, rng: random.Random) -> Result:
    """Add odd files to the tree at `root`, then edit and undo every file `rounds` times.

    Raises:
        AssertionError: a byte, a mode or a link is not what it must be.
    """
    start = time.perf_counter()
    result = Result(name, commit, odd_files=add_odd_files(root, rng))
    workspace = Workspace.discover(root)
    journal = Journal(state, workspace)
    before = read_tree(root)
    result.files = len(before)
    sources = list(readable_sources(workspace, sorted(before), result))
    for _ in range(rounds):
        for i in range(0, len(sources), FILES_PER_RUN):
            edit_and_undo(workspace, journal, sources[i : i + FILES_PER_RUN], before, result, rng)
    edit_through_link(workspace, journal, before)
    assert read_tree(root) == before, "the tree is not as it was"
    result.seconds = round(time.perf_counter() - start, 1)
    return result


def edit_and_undo(
    workspace: Workspace,
    journal: Journal,
    sources: Sequence[SourceFile],
    before: Tree,
    result: Result,
    rng: random.Random,
) -> None:
    """One run over `sources`, checked and undone."""
    offered = Patch(tuple(file for source in sources if (file := random_edit(source, rng)).old != file.new))
    hunks = [(f, h) for f, file in enumerate(offered.files) for h in range(len(file.hunks))]
    accepted = [hunk for hunk in hunks if rng.random() < 0.7]
    patch = select(offered, accepted)
    if not patch.files:
        return
    check_outside_hunks(offered, accepted, patch)
    assert read_patch(render(patch), workspace) == (patch, False), "the rendered patch reads otherwise"
    apply_patch(workspace, patch, journal, label="round trip")
    after = read_tree(workspace.root)
    written = {file.path: file.new for file in patch.files}
    assert after.keys() == before.keys(), "files were made or lost"
    for path, (mode, content) in before.items():
        assert after[path] == (mode, written.get(path, content)), f"{path} is not as accepted"
    assert read_patch(render(patch), workspace)[1], "the applied patch is not seen as applied"
    journal.undo()
    assert read_tree(workspace.root) == before, "undo did not give the tree back"
    result.edited += len(patch.files)
    result.hunks_offered += len(hunks)
    result.hunks_accepted += len(accepted)
    result.runs_undone += 1


def check_outside_hunks(offered: Patch, accepted: Sequence[tuple[int, int]], patch: Patch) -> None:
    """Walk over old and new bytes together: outside accepted hunks they must be the same."""
    got = {file.path: file for file in patch.files}
    for f, file in enumerate(offered.files):
        if file.path not in got:
            continue
        old, new = file.old or b"", got[file.path].new or b""
        lines = old.split(b"\n")
        offsets = [0]
        for line in lines:
            offsets.append(offsets[-1] + len(line) + 1)
        position = shift = 0
        for h in sorted(h for g, h in accepted if g == f):
            hunk = file.hunks[h]
            start = min(offsets[hunk.old_start], len(old))
            assert old[position:start] == new[position + shift : start + shift], (
                f"{file.path} changed outside a hunk"
            )
            added, removed = sum(map(len, hunk.new_lines)), sum(map(len, hunk.old_lines))
            assert new[start + shift : start + shift + added] == b"".join(hunk.new_lines), (
                f"{file.path}: another hunk"
            )
            position, shift = start + removed, shift + added - removed
        assert old[position:] == new[position + shift :], f"{file.path} changed after its last hunk"


def readable_sources(workspace: Workspace, paths: Sequence[str], result: Result) -> Iterator[SourceFile]:
    for path in paths:
        full = workspace.root / path
        if full.is_symlink():
            count(result.refused, "link (its file is edited)")
            continue
        try:
            yield SourceFile.read(workspace, workspace.resolve(path, relative_to=workspace.root))
        except TargetError as error:
            reason = next(
                (word for word in ("binary", "not utf-8", "coding", "size") if word in str(error)), str(error)
            )
            count(result.refused, reason)


def count(reasons: dict[str, int], reason: str) -> None:
    reasons[reason] = reasons.get(reason, 0) + 1


def random_edit(source: SourceFile, rng: random.Random) -> FilePatch:
    """Up to three regions of `source` changed by lines and by words."""
    regions = [region for region in regions_of(source) if region.end > region.start]
    while True:
        chosen = sorted(
            rng.sample(regions, min(len(regions), rng.randint(1, 3))), key=lambda region: region.start
        )
        edits = [(region.start, region.end, changed_text(region, rng)) for region in chosen]
        try:
            new = source.replace_all(edits)
        except TargetError as error:
            if "encoding" not in str(error):
                raise
            continue  # the one edit that a readable file refuses: its coding line was hit
        check_outside_regions(source, [(start, end) for start, end, _ in edits], new)
        return file_patch(source.name, source.raw, new)


def check_outside_regions(source: SourceFile, spans: Sequence[tuple[int, int]], new: bytes) -> None:
    """What stands before the first and after the last region is as it was, byte for byte."""
    if not spans:
        assert new == source.raw
        return
    lines = source.raw.split(b"\n")
    ahead = sum(len(line) + 1 for line in lines[: spans[0][0]])
    behind = max(0, len(source.raw) - sum(len(line) + 1 for line in lines[: spans[-1][1]]))
    assert new[:ahead] == source.raw[:ahead], f"{source.name} changed before the region"
    assert new[len(new) - behind :] == source.raw[len(source.raw) - behind :], (
        f"{source.name} changed after the region"
    )


def changed_text(region: Region, rng: random.Random) -> str:
    lines = region.text.split("\n")[:-1]
    for _ in range(rng.randint(1, 3)):
        i = rng.randrange(len(lines)) if lines else 0
        what = rng.choice(("delete", "double", "insert", "word", "swap"))
        if not lines or what == "insert":
            indent = lines[i][: len(lines[i]) - len(lines[i].lstrip(" \t"))] if lines else ""
            lines.insert(i, f"{indent}inserted = {rng.randrange(1000)}")
        elif what == "delete":
            del lines[i]
        elif what == "double":
            lines.insert(i, lines[i])
        elif what == "word":
            words = lines[i].split(" ")
            words[rng.randrange(len(words))] += "_changed"
            lines[i] = " ".join(words)
        else:
            lines[i - 1], lines[i] = lines[i], lines[i - 1]
    return "".join(line + "\n" for line in lines)


def edit_through_link(workspace: Workspace, journal: Journal, before: Tree) -> None:
    """A patch that names a link changes the file behind it, and the link stays."""
    target = (workspace.root / "odd/link.py").resolve()
    patch = Patch((file_patch("odd/link.py", target.read_bytes(), b"through the link\n"),))
    apply_patch(workspace, patch, journal, label="through a link")
    assert target.read_bytes() == b"through the link\n"
    assert read_tree(workspace.root)["odd/link.py"] == before["odd/link.py"], "the link is gone"
    journal.undo()


def add_odd_files(root: Path, rng: random.Random) -> int:
    """Copies of the tree's own Python files in every odd form that the tool has to keep."""
    samples = sorted(
        path for path in root.rglob("*.py") if path.is_file() and 0 < path.stat().st_size < 50_000
    )
    samples = [path for path in rng.sample(samples, min(12, len(samples))) if is_ascii_enough(path)]
    odd = root / "odd"
    odd.mkdir()
    for number, path in enumerate(samples):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        lines = text.split(b"\n")
        forms = {
            "crlf": text.replace(b"\n", b"\r\n"),
            "bom": b"\xef\xbb\xbf" + text,
            "bom_crlf": b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
            "tabs": b"\n".join(tabbed(line) for line in lines),
            "latin1": b"# -*- coding: latin-1 -*-\n" + text + b"# \xe9\xfc\xdf\n",
            "bare": text.rstrip(b"\n"),
            "mixed": b"\n".join(line + rng.choice((b"", b"", b"\r")) for line in lines),
            "undeclared": text + b"# \xe9\n",
        }
        for form, content in forms.items():
            (odd / f"{form}{number}.py").write_bytes(content)
        (odd / f"crlf{number}.py").chmod(rng.choice((0o600, 0o755, 0o664)))
    (odd / "data.py").write_bytes(rng.randbytes(5000) + b"\0")
    (odd / "empty.py").write_bytes(b"")
    (odd / "link.py").symlink_to("crlf0.py")
    (odd / "up").symlink_to("..")
    (odd / "nowhere.py").symlink_to("gone.py")
    return sum(1 for path in odd.iterdir())


def is_ascii_enough(path: Path) -> bool:
    content = path.read_bytes()
    return content.isascii() and b"coding" not in b"".join(content.split(b"\n", 2)[:2])


def tabbed(line: bytes) -> bytes:
    spaces = len(line) - len(line.lstrip(b" "))
    return b"\t" * (spaces // 4) + line[spaces - spaces % 4 :]


def read_tree(root: Path) -> Tree:
    tree: Tree = {}
    for place, folders, files in os.walk(root):
        folders[:] = [folder for folder in folders if folder != ".git"]
        for name in [*files, *(folder for folder in folders if (Path(place) / folder).is_symlink())]:
            path = Path(place) / name
            content = str(path.readlink()) if path.is_symlink() else path.read_bytes()
            tree[path.relative_to(root).as_posix()] = (stat.S_IMODE(path.lstat().st_mode), content)
    return tree


def unpack(source: Path, target: Path) -> str:
    """The tree of a git folder's HEAD, or a copy of a plain folder, at `target`; returns the commit, if any."""
    target.mkdir()
    if (source / "HEAD").exists() or (source / ".git").exists():
        git = ["git", "--git-dir", str(source if (source / "HEAD").exists() else source / ".git")]
        archive = subprocess.run([*git, "archive", "HEAD"], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(target, filter="tar")
        return subprocess.run(
            [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        ).stdout.strip()
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)
    return ""


def name_of(source: Path) -> str:
    """`owner/name` where the folder says so, else the folder's own name; never a path of this machine."""
    own = source.resolve()
    named = own.parent if own.name in ("repo", ".git") else own
    return named.name.removesuffix(".git").replace("+", "/")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("sources", nargs="+", type=Path, help="folders, repositories or bare git folders")
    parser.add_argument("--output", type=Path, help="where to write the result as JSON")
    parser.add_argument("--rounds", type=int, default=5, help="how often each file is edited")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    results = []
    for source in options.sources:
        with tempfile.TemporaryDirectory() as folder:
            commit = unpack(source, Path(folder) / "tree")
            subprocess.run(["git", "init", "-q", Path(folder) / "tree"], check=True)
            tree, state = Path(folder) / "tree", Path(folder) / "state"
            results.append(round_trip(tree, name_of(source), commit, options.rounds, state, rng))
        print(json.dumps(asdict(results[-1])), file=sys.stderr)
    names = [name_of(source) for source in options.sources]
    command = [
        "python",
        "benchmarks/round_trip.py",
        *names,
        f"--rounds={options.rounds}",
        f"--seed={options.seed}",
    ]
    report = {
        "commit": subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip(),
        "command": shlex.join(command),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "checked": "bytes outside accepted hunks, the tree after each run and each undo; a difference is an error",
        "trees": [asdict(result) for result in results],
    }
    text = json.dumps(report, indent=1) + "\n"
    if options.output:
        options.output.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
