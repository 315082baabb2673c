import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from engine.evaluation.cage import Cage, Limits, Program, isolation

PATIENCE = 120
"""Seconds after which something hangs; a busy machine may take long for what is short."""
QUICK = Limits(cpu_seconds=1, seconds=PATIENCE)
needs_namespaces = pytest.mark.skipif(not isolation().namespaces, reason="no namespaces for this user here")


def run(program, **changes):
    return Cage(Limits(**{"cpu_seconds": 1, "seconds": PATIENCE, **changes})).run(textwrap.dedent(program))


def test_a_program_that_ends_has_passed():
    found = run("assert 1 + 1 == 2; print('fine')")
    assert (found.outcome, found.last_line) == ("passed", "fine")


@pytest.mark.parametrize(
    "program",
    [
        "assert False",
        "import sys; sys.exit(0)",
        "import os; os._exit(0)",
        "exit()",
        "quit(0)",
        "raise SystemExit",
        "1 +",
        "import torch",
    ],
)
def test_what_does_not_reach_its_end_has_failed(program):
    assert run(program).outcome == "failed"


@pytest.mark.parametrize("leave", ["exit", "quit"])
def test_programs_may_leave_without_an_import(leave):
    found = run(
        f"""
        for code in (None, 0, 3, "a message"):
            try:
                {leave}(code)
            except SystemExit as end:
                assert end.code == code
            else:
                assert False, code
        """
    )
    assert found.outcome == "passed", found.output
    assert run(f"print('fine'); {leave}()").last_line == "fine"


def test_the_error_is_kept():
    assert run("assert 1 == 2, 'no such luck'").last_line == "AssertionError: no such luck"


def test_an_endless_loop_runs_out_of_its_cpu_time():
    start = time.monotonic()
    assert run("while True: pass", seconds=600).outcome == "timed out"
    assert time.monotonic() - start < PATIENCE


def test_a_sleeper_runs_out_of_wall_time():
    start = time.monotonic()
    assert run("import time; time.sleep(600)", seconds=1).outcome == "timed out"
    assert time.monotonic() - start < PATIENCE


def test_memory_is_limited():
    found = run("x = bytearray(10 ** 9)", memory=256 << 20)
    assert (found.outcome, found.last_line) == ("failed", "MemoryError")


def test_forking_comes_to_an_end():
    found = run(
        """
        import os, time
        made = 0
        try:
            while made < 200:
                if not os.fork():
                    time.sleep(30)
                    os._exit(0)
                made += 1
        except OSError:
            pass
        assert made < 100, made
        """,
        processes=16,
    )
    assert found.outcome == "passed", found.output


def test_large_files_and_output_are_cut():
    found = run("open('x', 'wb').write(bytes(10 ** 6))", file_bytes=10**5)
    assert (found.outcome, "File too large" in found.last_line) == ("failed", True)
    found = run("print('x' * 5000)\nprint('end')")
    assert len(found.output) == 2000
    assert found.last_line == "end"


def test_stdin_is_empty_and_home_is_a_folder_of_its_own():
    assert run("input()").last_line.startswith("EOFError")
    assert run(
        "import os; assert os.listdir(os.environ['HOME']) and os.getcwd() == os.environ['HOME']"
    ).outcome == ("passed")


def test_nothing_of_this_environment_is_seen(monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    assert run("import os; assert 'SECRET' not in os.environ").outcome == "passed"


def test_packages_are_there_only_if_asked_for():
    assert run("import numpy").outcome == "failed"
    assert (
        run("import numpy", packages=True, memory=4 << 30, cpu_seconds=10, processes=64).outcome == "passed"
    )


ROOMY = Limits(cpu_seconds=10, seconds=PATIENCE, memory=4 << 30, processes=64)


def test_a_program_may_bring_files_and_an_interpreter_and_leave_a_report():
    code = """
import os, sys, numpy
assert os.getcwd() == os.environ["HOME"] and "SECRET" not in os.environ
open("report", "w").write(open("given").read() + sys.executable)
assert False
"""
    found = Cage(ROOMY).run(
        Program(code, lambda folder: (folder / "given").write_text("by "), Path(sys.executable))
    )
    assert (found.outcome, found.report) == ("failed", f"by {sys.executable}")


@pytest.mark.parametrize("code", ["", "import os; os.mkfifo('report')", "import os; os.mkdir('report')"])
def test_what_is_no_report_is_not_read(code):
    found = Cage(ROOMY).run(Program(code, lambda _: None, Path(sys.executable)))
    assert (found.outcome, found.report) == ("passed", "")


def test_files_that_cannot_be_brought_end_the_run():
    def fill(folder):
        raise OSError(f"no room in {folder.name}")

    with pytest.raises(OSError, match="no room in cage-"):
        Cage(ROOMY).run_all([Program("", fill, Path(sys.executable)), "pass"])


@needs_namespaces
def test_the_network_is_cut_off():
    found = run("import socket; socket.create_connection(('1.1.1.1', 53), 5)")
    assert "Network is unreachable" in found.last_line
    found = run("import os; assert os.getpid() < 5")
    assert found.outcome == "passed"


def alive(marker):
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return marker in listed


def wait_until_dead(marker):
    deadline = time.monotonic() + PATIENCE
    while alive(marker) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not alive(marker)


@pytest.mark.parametrize("daemon", [False, pytest.param(True, marks=needs_namespaces)])
def test_children_die_with_the_program(daemon):
    marker = f"{os.getpid()}.{int(daemon)}77"
    found = run(
        f"""
        import subprocess
        subprocess.Popen(["sleep", "{marker}"], start_new_session={daemon})
        """
    )
    assert found.outcome == "passed"
    assert wait_until_dead(marker)


def test_many_programs_keep_their_order():
    told = []
    runs = Cage(QUICK, workers=2).run_all([f"assert {i} % 2" for i in range(6)], told.append)
    assert [r.outcome for r in runs] == ["failed", "passed"] * 3
    assert sum(told) == 6


def test_an_interrupt_kills_what_runs():
    marker = f"{os.getpid()}.55"
    script = f"""
from engine.evaluation.cage import Cage, Limits
program = "import subprocess; subprocess.run(['sleep', '{marker}'])"
Cage(Limits(seconds={10 * PATIENCE}), workers=2).run_all([program] * 20)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not alive(f"sleep {marker}") and time.monotonic() < deadline:
                assert process.poll() is None
                time.sleep(0.1)
            assert alive(f"sleep {marker}")
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert "KeyboardInterrupt" in errors
    assert wait_until_dead(f"sleep {marker}")
