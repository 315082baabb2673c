"""A rename with all its uses in real repositories: who renamed what, whether the old name is gone, and the tests.

    python benchmarks/rename_across.py [--out RESULT.json] [--index-rest] CASE...

A case is `GIT_DIR|FILE::SYMBOL|NEW|TEST COMMAND`. The repository is cloned, its tests run, then `seed edit --recipe
rename --uses -y`, then the tests again. Gone means: the old name is in no Python token that is a name. Without
`--index-rest` only the model renames, and nothing is written where it fails. What comments, strings and files of other
kinds say of the old name is counted and left.
"""

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="+", metavar="CASE")
    parser.add_argument("--index-rest", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    results = []
    for case in arguments.cases:
        with tempfile.TemporaryDirectory() as folder:
            results.append(run_case(case, Path(folder), index_rest=arguments.index_rest))
        print(json.dumps(results[-1], indent=1), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def run_case(case: str, folder: Path, *, index_rest: bool) -> dict[str, object]:
    git_dir, target, new, tests = case.split("|")
    old = target.rpartition("::")[2].rpartition(".")[2]
    tree = folder / "tree"
    subprocess.run(["git", "clone", "-q", git_dir, str(tree)], check=True, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree, check=True, capture_output=True, text=True)
    names, _ = count(tree, old)
    before = run_tests(tests, tree)
    seed = ["edit", "-y", "--recipe", "rename", f"old={old}", f"new={new}", "--uses", target]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "seedcli", *seed, *(["--index-rest"] if index_rest else [])],
        cwd=tree,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder), "XDG_STATE_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    left, said = count(tree, old)
    return {
        "repository": Path(git_dir).parent.name,
        "commit": head.stdout.strip(),
        "target": target,
        "new": new,
        "exit": done.returncode,
        "seed says": [line for line in done.stderr.splitlines() if line.startswith("seed:")],
        "seconds": round(seconds, 1),
        "names before": names,
        "names left": left,
        "said in comments, strings and other files": said,
        "tests before": before,
        "tests after": run_tests(tests, tree),
    }


def count(tree: Path, name: str) -> tuple[int, int]:
    """How many tokens of Python files are that name, and how often it is said besides."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, check=True, capture_output=True, text=True)
    tokens = words = 0
    for path in filter(None, listed.stdout.split("\0")):
        try:
            text = (tree / path).read_text()
        except (OSError, UnicodeDecodeError):
            continue
        words += len(re.findall(rf"\b{re.escape(name)}\b", text))
        if path.endswith((".py", ".pyi")) and name in text:
            tokens += sum(token.type == tokenize.NAME and token.string == name for token in _tokens(text))
    return tokens, words - tokens


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []


def run_tests(command: str, tree: Path) -> dict[str, object]:
    """How the tests end, and which fail."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=tree, capture_output=True, text=True, check=False, timeout=1800
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    failed = sorted(
        line.split(" - ")[0] for line in lines if line.startswith(("FAILED ", "ERROR ", "FAIL: ", "ERROR: "))
    )
    last = re.sub(r" in [0-9.]+s.*", "", lines[-1]).strip("= ") if lines else ""
    return {"exit": done.returncode, "says": last, "failed": failed}


if __name__ == "__main__":
    main()
