"""Kill a 50-file edit again and again, and see that nothing is lost. Run as a process of its own: it forks.

Usage: kill_rounds.py FOLDER ROUNDS. Prints how the rounds ended; fails with the first that lost something.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from seedcli.patches.apply import apply_patch
from seedcli.patches.journal import Journal
from seedcli.patches.patch import Patch, file_patch
from seedcli.repository.workspace import Workspace

Tree = dict[str, bytes]


def make_states(rng: random.Random) -> tuple[Tree, Tree]:
    """Files before and after: 42 changed, 4 made (in new folders), 4 deleted."""
    old = {f"pkg{i % 5}/mod{i}.py": rng.randbytes(rng.randrange(1, 30_000)) for i in range(46)}
    new = {path: data + rng.randbytes(200) for path, data in list(old.items())[:42]}
    new |= {f"new{i % 2}/deep/mod{i}.py": rng.randbytes(5_000) for i in range(4)}
    return old, new


def read_tree(root: Path) -> Tree:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def make_patch(old: Tree, new: Tree) -> Patch:
    return Patch(tuple(file_patch(path, old.get(path), new.get(path)) for path in sorted({*old, *new})))


def kill_when(moment: Callable[[], bool], act: Callable[[], object]) -> None:
    """Run `act` in a child and kill it when `moment` has come; it may have ended by then."""
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    while not moment():
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def some_moment(rng: random.Random, root: Path, paths: list[str], usual_s: float) -> Callable[[], bool]:
    """A time within the usual one, or (renaming takes the least of it) when a random file has changed."""
    until = time.perf_counter() + rng.random() * usual_s * 1.2
    if rng.random() < 0.4:
        return lambda: time.perf_counter() > until
    watched = root / rng.choice(paths)
    before = identity(watched)
    give_up = time.perf_counter() + 20 * usual_s
    return lambda: identity(watched) != before or time.perf_counter() > give_up


def identity(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def check_each_file(tree: Tree, old: Tree, new: Tree) -> str:
    """Each file is wholly old or wholly new; staged files are nobody's."""
    found = {path: data for path, data in tree.items() if ".seed-" not in path}
    for path in {*old, *new, *found}:
        assert found.get(path) in (old.get(path), new.get(path)), f"{path} is torn"
    return "old" if found == old else "new" if found == new else "mixed"


def main(folder: Path, rounds: int) -> None:
    rng = random.Random(6)
    root = (folder / "project").resolve()
    root.mkdir()
    workspace = Workspace(root, is_git=False)
    journal = Journal(folder / "state", workspace)
    old, new = make_states(rng)
    for path, data in old.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(data)
    patch = make_patch(old, new)
    start = time.perf_counter()
    apply_patch(workspace, patch, journal, label="measure")
    usual_s = time.perf_counter() - start
    journal.undo()
    counts: Counter[str] = Counter()
    for number in range(rounds):
        undoing = number % 4 == 3
        if undoing:
            apply_patch(workspace, patch, journal, label="to be undone")
        act = (
            journal.undo if undoing else lambda: apply_patch(workspace, patch, journal, label="to be killed")
        )
        kill_when(some_moment(rng, root, [file.path for file in patch.files], usual_s), act)
        counts[check_each_file(read_tree(root), old, new)] += 1
        Journal(folder / "state", workspace).recover()
        tree = read_tree(root)
        assert tree in (old, new), f"round {number}: no whole state after recovery"
        if tree == new:
            journal.undo()
        assert read_tree(root) == old, f"round {number}: undo did not give the old state back"
        assert not list(root.glob("new*")), f"round {number}: folders were left behind"
    print(json.dumps({"rounds": rounds, "usual_s": round(usual_s, 3), **counts}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
