import os
import signal
import subprocess
import sys

import pytest

from engine.errors import DataError
from engine.training.exclusive import exclusive

HOLDING = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from engine.training.exclusive import exclusive\n"
    "with exclusive(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def test_a_folder_is_for_one_and_a_process_that_dies_lets_go_of_it(tmp_path):
    folder = tmp_path / "runs" / "mine"
    with subprocess.Popen([sys.executable, "-c", HOLDING, folder], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(DataError, match=r"another process works in .*mine; wait for it"),
            exclusive(folder),
        ):
            pytest.fail("held twice")
        os.kill(other.pid, signal.SIGKILL)
    with exclusive(folder):
        pass
    with exclusive(folder):  # and again
        pass
