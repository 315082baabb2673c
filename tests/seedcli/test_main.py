"""The command line as a process: what it imports, how quick it is, how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from seedcli import __version__
from seedcli.main import COMMANDS

HERE = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "textual", "git", "tree_sitter", "tokenizers", "unidiff", "rich")
PROBE = """
import json, sys
sys.argv[0] = "seed"
from seedcli.main import run
try:
    run()
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)
"""


def seed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "seedcli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=HERE, check=False
    )


def imported(*arguments: str) -> set[str]:
    """What a run that ends well has imported."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, cwd=HERE
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    return set(modules)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported(*arguments).isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "line",
    [
        "seed ",
        "seed edit --",
        "seed edit fix seedcli/report.py::R",
        "seed edit --recipe ",
        "seed edit --model ",
    ],
)
def test_completion_imports_no_model(line: str) -> None:
    heavy = set(HEAVY) - {"tree_sitter"}
    assert imported("completion", "words", "fish", line).isdisjoint(heavy)


@pytest.mark.parametrize("arguments", [("log",), ("models",), ("edit", "fix", "absent.py", "--exit-zero")])
def test_what_needs_no_model_imports_none(arguments: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROBE, *arguments]
    env = os.environ | {"PYTHONPATH": str(HERE), "SEED_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL
    )
    modules = set(json.loads(done.stderr.splitlines()[-1])[1])
    assert modules.isdisjoint({"torch", "transformers", "textual"})


def test_help_takes_at_most_fifteen_times_an_empty_python() -> None:
    def best_s(*command: str) -> float:
        times = []
        for _ in range(7):
            started = time.perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=True, cwd=HERE)
            times.append(time.perf_counter() - started)
        return min(times)

    assert best_s("-m", "seedcli", "--help") <= 15 * best_s("-c", "pass")


def test_help_leads_with_examples_and_lists_every_command() -> None:
    text = seed("--help").stdout
    assert text.index("Examples:") < text.index("Options:") < text.index("Commands:")
    listed = text[text.index("Commands:") :]
    assert all(f"  {name} " in listed for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_can_be_read_on_80_columns(name: str) -> None:
    done = seed(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: seed {name} ")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_version() -> None:
    assert seed("--version").stdout == f"seed {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("edti",), "no command 'edti'; did you mean 'edit'?"),
        (("zzzz",), "no command 'zzzz'; see `seed --help`"),
        (("edit",), "the instruction is empty; say what to do"),
        (("edit", "--no-such-flag", "x", "y"), "No such option"),
        (("edit", "-n", "many", "x", "y"), "--candidates"),
        (("--no-such-flag",), "No such option"),
    ],
)
def test_usage_errors_end_with_2_and_keep_stdout_clean(arguments: tuple[str, ...], message: str) -> None:
    done = seed(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_python_m_seedcli_is_seed() -> None:
    assert "Usage: seed " in seed("--help").stdout


def test_a_defect_of_seed_is_no_answer_about_the_code() -> None:
    code = (
        "import sys\nfrom seedcli import main\n"
        "main.COMMANDS['log'] = main.Command('os', 'abort_', '')\nsys.argv = ['seed', 'log']\nmain.run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=HERE)
    assert done.returncode == 70
    assert "this is a defect of Seed" in done.stderr


def test_the_console_script_is_python_m_seedcli() -> None:
    script = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["scripts"]["seed"]
    assert script == "seedcli.__main__:run"
    code = "import sys, seedcli.__main__; sys.exit('typer' in sys.modules or 'seedcli.main' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=HERE).returncode == 0


class TestInterruption:
    """Ctrl-C, or `kill`, at any time: the exit code of a signal, one line, nothing written."""

    @pytest.fixture
    def start(self, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
        """Starts a process in a folder with a defective file, and waits until it has made the file `asked`."""
        (tmp_path / "calc.py").write_text("def f(a):\n    return a - 1\n")

        def run(*command: str, **variables: str) -> "subprocess.Popen[str]":
            env = (
                os.environ | {"PYTHONPATH": str(HERE), "SEED_STATE_DIR": str(tmp_path / "state")} | variables
            )
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=tmp_path,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            while not (tmp_path / "asked").exists():
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            return process

        return run

    @pytest.mark.parametrize(
        ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
    )
    def test_while_the_model_works(
        self,
        tmp_path: Path,
        start: Callable[..., "subprocess.Popen[str]"],
        number: signal.Signals,
        code: int,
        word: str,
    ) -> None:
        process = start(
            *("-m", "tests.seedcli.commands.scripted", "edit", "-y", "fix", "calc.py"),
            SCRIPT=json.dumps({"-": "+"}),
            WAIT_FOR=str(tmp_path / "go"),
            ASKED=str(tmp_path / "asked"),
        )
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (code, "", f"seed: {word}\n")
        assert (tmp_path / "calc.py").read_text() == "def f(a):\n    return a - 1\n"

    @pytest.mark.parametrize(
        ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
    )
    def test_while_it_starts(
        self,
        tmp_path: Path,
        start: Callable[..., "subprocess.Popen[str]"],
        number: signal.Signals,
        code: int,
        word: str,
    ) -> None:
        # A slow disk: the library that reads the command line takes a minute to come.
        slow = tmp_path / "slow"
        slow.mkdir()
        (slow / "typer.py").write_text(
            f"import pathlib, time\npathlib.Path({str(tmp_path / 'asked')!r}).touch()\ntime.sleep(60)\n"
        )
        process = start("-m", "seedcli", "log", PYTHONPATH=f"{slow}:{HERE}")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (code, "", f"seed: {word}\n")
