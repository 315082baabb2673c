import platform
import subprocess
import sys

import pytest

STEPS = """
import resource
import sys
import torch
torch.set_num_threads(1)
from engine.training.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def step():
    x = torch.ones(4 << 20)
    for _ in range(3):
        y = (x.square() + 1) * x
for _ in range(10):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_that_one_step_frees_is_there_for_the_next(monkeypatch):
    monkeypatch.delenv("LD_PRELOAD", raising=False)

    def page_faults(how):
        done = subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert page_faults("keep") < page_faults("give back") / 2
