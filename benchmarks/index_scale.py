"""The index of a repository of many files: seconds cold and warm, memory; and that `seed edit FILE` does not wait.

    python benchmarks/index_scale.py SOURCE_FOLDER [--files 10000] [--out RESULT.json]

The repository is made of real files: those of the source folder, each as often as it takes, in folders of their own,
every copy with another number behind its outermost definitions, so that no two files are alike. `cold` makes the index
in a process of its own, `warm` finds nothing changed, `touched` finds one file in a hundred changed. `edit` is `seed
edit --diff FILE` with no index there, against the same in a repository of this one file.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFRESH = """
import json, resource, sys, time
from pathlib import Path
started = time.perf_counter()
from seedcli.index.search import gather
from seedcli.index.store import Store, database_of
from seedcli.repository.workspace import Workspace
workspace = Workspace.discover(Path(sys.argv[1]))
store = Store.open(workspace)
done = store.refresh()
seconds = time.perf_counter() - started
started = time.perf_counter()
found = gather(store, "close the file when the parser raises an error", 300)
print(json.dumps({
    "files": done.files, "read": done.read, "seconds": round(seconds, 2),
    "search seconds": round(time.perf_counter() - started, 3), "found": len(found),
    "peak MiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    "index MiB": round(database_of(workspace).stat().st_size / 2**20, 1),
}))
"""
_DEFINITION = re.compile(r"^(def|class) (\w+)", re.M)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments.source, arguments.files, Path(folder))
    print(json.dumps(result, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


def measure(source: Path, count: int, folder: Path) -> dict[str, object]:
    tree = folder / "tree"
    paths = make(source, count, tree)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    small = min(paths, key=lambda path: path.stat().st_size)
    alone = folder / "alone"
    alone.mkdir()
    shutil.copy(small, alone / "one.py")
    subprocess.run(["git", "init", "-q", str(alone)], check=True)
    edit_alone = edit(alone, "one.py", environment)
    edit_in_tree = edit(tree, str(small.relative_to(tree)), environment)
    assert not (folder / "cache" / "seed" / "index").exists(), "an edit of a named file makes no index"
    cold = refresh(tree, environment)
    warm = refresh(tree, environment)
    for path in paths[::100]:
        path.write_text(path.read_text() + "\n\nCHANGED = True\n")
    return {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "source": source.name,
        "text MiB": round(sum(path.stat().st_size for path in paths) / 2**20, 1),
        "cold": cold,
        "warm": warm,
        "touched": refresh(tree, environment),
        "edit of one file, seconds": {"alone": edit_alone, "in the repository": edit_in_tree},
    }


def make(source: Path, count: int, tree: Path) -> list[Path]:
    """A git repository of so many files."""
    originals = [path for path in sorted(source.rglob("*.py")) if 0 < path.stat().st_size < 200_000]
    made = []
    for i in range(count):
        original = originals[i % len(originals)]
        copy = i // len(originals)
        path = tree / f"part{copy}" / original.relative_to(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = original.read_text(encoding="utf-8", errors="replace")
        path.write_text(_DEFINITION.sub(rf"\1 \g<2>_{copy}", text))
        made.append(path)
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    subprocess.run(["git", "add", "-A"], cwd=tree, check=True)
    return made


def refresh(tree: Path, environment: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", REFRESH, str(tree)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def edit(tree: Path, name: str, environment: dict[str, str]) -> float:
    """Seconds of `seed edit --diff` on a small file, the best of three."""
    command = [sys.executable, "-m", "seedcli", "edit", "--diff", "fix the bug", name]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False)
        seconds.append(time.perf_counter() - started)
    return round(min(seconds), 2)


if __name__ == "__main__":
    main()
